// Prints the op definitions in TensorFlow's form, as JSON, for op_defs_check.py.

#include <weir/op_def.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "dispatch/registry.h"

namespace {

using nlohmann::json;
using weir::AttrDef;
using weir::OpDef;
using weir::OperandDef;
using Kind = weir::rt::Attr::Kind;

// Indexed by rt::Attr::Kind.
constexpr const char* kKinds[] = {
    "none", "int", "float", "bool", "type", "list(int)", "list(float)", "string", "operand"};

json operand(const OpDef& op, const OperandDef& def) {
  json j = {{"name", op.stored_name(def.name)}};
  j["type"] = static_cast<int>(def.dtype);
  if (def.type >= 0) {
    const weir::TypeParam& type = op.types()[static_cast<std::size_t>(def.type)];
    const weir::DType only = type.allowed.only();
    j["type"] = only == weir::DType::invalid ? json(type.name) : json(static_cast<int>(only));
  }
  j["count"] = def.variadic ? op.stored_name(def.count_attr) : "";
  return j;
}

json static_operand(const OpDef& op, const AttrDef& def) {
  json j = {{"name", op.stored_name(def.name)}, {"count", ""}};
  j["type"] =
      def.type_attr.empty() ? json(static_cast<int>(def.operand_dtype)) : json(def.type_attr);
  return j;
}

json inputs(const OpDef& op) {
  std::vector<json> list;
  for (const OperandDef& def : op.input_defs())
    list.push_back(operand(op, def));
  std::vector<const AttrDef*> last;
  for (const AttrDef& def : op.attrs()) {
    if (!def.is_operand) continue;
    if (def.input < 0) last.push_back(&def);
  }
  for (int position = 0; position < 16; ++position) {
    for (const AttrDef& def : op.attrs()) {
      if (!def.is_operand || def.input != position) continue;
      const auto at = std::min(list.size(), static_cast<std::size_t>(position));
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), static_operand(op, def));
    }
  }
  for (const AttrDef* def : last)
    list.push_back(static_operand(op, *def));
  return list;
}

json attrs(const OpDef& op) {
  json j = json::object();
  for (const auto& type : op.types()) {
    if (type.allowed.only() == weir::DType::invalid) j[type.name] = "type";
  }
  for (const AttrDef& def : op.attrs()) {
    if (def.is_operand && !def.type_attr.empty()) j[def.type_attr] = "type";
    if (def.is_operand || def.kind == Kind::dtype) continue;
    j[op.stored_name(def.name)] = (def.kind == Kind::ints && def.name == "shape")
                                      ? "shape"
                                      : kKinds[static_cast<int>(def.kind)];
  }
  for (const OperandDef& def : op.input_defs()) {
    if (def.variadic) j[op.stored_name(def.count_attr)] = "int";
  }
  return j;
}

}  // namespace

int main() {
  json ops = json::array();
  for (const OpDef* op : weir::dispatch::all_ops()) {
    json outputs = json::array();
    for (const OperandDef& def : op->output_defs())
      outputs.push_back(operand(*op, def));
    ops.push_back({{"name", op->name()},
                   {"inputs", inputs(*op)},
                   {"outputs", outputs},
                   {"attrs", attrs(*op)}});
  }
  std::printf("%s\n", ops.dump(1).c_str());
  return 0;
}
