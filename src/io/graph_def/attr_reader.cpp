#include "io/graph_def/attr_reader.h"

#include <algorithm>

#include "io/file/file.h"
#include "io/graph_def/attr_writer.h"
#include "io/graph_def/tensor_proto.h"

namespace weir::io {
namespace {

using Kind = rt::Attr::Kind;
using Value = proto::AttrValue;

[[noreturn]] void wrong_kind(const proto::NodeDef& node, const std::string& name) {
  fail(Code::data_loss,
       describe(node) + ": attribute '" + name + "' is missing or of another kind");
}

const Value& require(const proto::NodeDef& node, const std::string& name, Value::ValueCase kind) {
  const Value* value = find_attr(node, name);
  if (value == nullptr || value->value_case() != kind) wrong_kind(node, name);
  return *value;
}

rt::Attr default_of(const AttrDef& def) {
  if (def.kind == Kind::string) {
    return rt::Attr::string(def.default_string.data(),
                            static_cast<std::uint32_t>(def.default_string.size()));
  }
  if (def.kind == Kind::ints) {
    return rt::Attr::int_list(def.default_ints.data(),
                              static_cast<std::uint32_t>(def.default_ints.size()));
  }
  return def.default_value;
}

rt::Attr read_reals(const proto::NodeDef& node, const std::string& name, ReadCall* call) {
  const auto& list = require(node, name, Value::kList).list().f();
  call->storage.emplace_back(list.begin(), list.end());
  return rt::Attr::real_list(call->storage.back().data(), static_cast<std::uint32_t>(list.size()));
}

rt::Attr read_shape(const proto::NodeDef& node, const std::string& name, ReadCall* call) {
  const std::string what = describe(node) + ": attribute '" + name + "'";
  const Shape shape = shape_from_proto(require(node, name, Value::kShape).shape(), what);
  if (!shape.has_rank()) fail(Code::unimplemented, what + " is a shape of unknown rank");
  call->shapes.push_back(shape.to_vector());
  const auto& dims = call->shapes.back();
  return rt::Attr::int_list(dims.data(), static_cast<std::uint32_t>(dims.size()));
}

rt::Attr read_attr(const proto::NodeDef& node,
                   const std::string& name,
                   const AttrDef& def,
                   ReadCall* call) {
  const Value* value = find_attr(node, name);
  if (value == nullptr && def.has_default) return default_of(def);
  switch (def.kind) {
    case Kind::integer:
      return rt::Attr::integer(require(node, name, Value::kI).i());
    case Kind::real:
      return rt::Attr::real(require(node, name, Value::kF).f());
    case Kind::boolean:
      return rt::Attr::boolean(require(node, name, Value::kB).b());
    case Kind::dtype:
      return rt::Attr::dtype(type_attr(node, name));
    case Kind::string: {
      const std::string& text = require(node, name, Value::kS).s();
      return rt::Attr::string(text.data(), static_cast<std::uint32_t>(text.size()));
    }
    case Kind::ints: {
      if (is_shape(def)) return read_shape(node, name, call);
      const auto& list = require(node, name, Value::kList).list().i();
      return rt::Attr::int_list(list.data(), static_cast<std::uint32_t>(list.size()));
    }
    case Kind::reals:
      return read_reals(node, name, call);
    case Kind::none:
    case Kind::operand:
      break;
  }
  wrong_kind(node, name);
}

// TensorFlow's input that carries a static operand.
int static_position(const AttrDef& def, int inputs) {
  return def.input >= 0 ? def.input : inputs + def.input;
}

std::vector<int> own_positions(const OpDef& op, const proto::NodeDef& node, int inputs) {
  std::vector<bool> is_static(static_cast<std::size_t>(inputs));
  int statics = 0;
  for (const AttrDef& def : op.attrs()) {
    if (!def.is_operand) continue;
    const int position = static_position(def, inputs);
    ++statics;
    if (position < 0 || position >= inputs) {
      fail(Code::data_loss, describe(node) + ": input '" + def.name + "' is missing");
    }
    is_static[static_cast<std::size_t>(position)] = true;
  }
  std::vector<int> own;
  for (int i = 0; i < inputs; ++i) {
    if (!is_static[static_cast<std::size_t>(i)]) own.push_back(i);
  }
  const auto defined = op.input_defs().size();
  const bool fits = op.variadic() ? own.size() + 1 >= defined : own.size() == defined;
  if (!fits || static_cast<int>(own.size()) + statics != inputs) {
    fail(Code::data_loss, describe(node) + ": it has " + std::to_string(inputs) + " inputs");
  }
  return own;
}

void check_count(const OpDef& op, const proto::NodeDef& node, std::size_t own) {
  if (!op.variadic()) return;
  const Value* count = find_attr(node, op.stored_name(op.input_defs().back().count_attr));
  const auto actual = static_cast<std::int64_t>(own - (op.input_defs().size() - 1));
  if (count == nullptr || count->value_case() != Value::kI || count->i() == actual) return;
  fail(Code::data_loss,
       describe(node) + ": it says " + std::to_string(count->i()) + " inputs and has " +
           std::to_string(actual));
}

}  // namespace

std::string describe(const proto::NodeDef& node) {
  std::string text = "node '" + node.name().substr(0, 200) + "' (" + node.op().substr(0, 100) + ")";
  // A file's bytes must not reach a terminal as commands.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, '?');
  return text;
}

const proto::AttrValue* find_attr(const proto::NodeDef& node, const std::string& name) {
  const proto::AttrValue* found = nullptr;
  for (const proto::AttrEntry& entry : node.attr()) {
    if (entry.key() == name) found = &entry.value();
  }
  return found;
}

DType type_attr(const proto::NodeDef& node, const std::string& name) {
  const int type = require(node, name, Value::kType).type();
  return dtype_from_proto(type, describe(node) + ": attribute '" + name + "'");
}

const std::string& function_attr(const proto::NodeDef& node, const std::string& name) {
  return require(node, name, Value::kFunc).func().name();
}

Tensor constant_value(const proto::NodeDef& node) {
  const Tensor tensor =
      tensor_from_proto(require(node, "value", Value::kTensor).tensor(), describe(node));
  if (type_attr(node, "dtype") != tensor.dtype()) {
    fail(Code::data_loss, describe(node) + ": its value has another dtype");
  }
  return tensor;
}

ReadCall read_call(const OpDef& op, const proto::NodeDef& node, int inputs) {
  ReadCall call;
  call.operands = own_positions(op, node, inputs);
  check_count(op, node, call.operands.size());
  for (const AttrDef& def : op.attrs()) {
    if (def.is_operand) {
      call.attrs.push_back(rt::Attr::operand(static_cast<std::int64_t>(call.operands.size())));
      call.operands.push_back(static_position(def, inputs));
    } else {
      // A dtype is stored under the name of the type parameter that it sets.
      std::string name = op.stored_name(def.name);
      for (const TypeParam& type : op.types()) {
        if (type.attr == static_cast<int>(call.attrs.size())) name = type.name;
      }
      call.attrs.push_back(read_attr(node, name, def, &call));
    }
  }
  return call;
}

void check_types(const OpDef& op, const proto::NodeDef& node, std::span<const DType> operands) {
  const auto& defs = op.input_defs();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const OperandDef& def = defs[std::min(i, defs.size() - 1)];
    if (def.type < 0) continue;
    const std::string& name = op.types()[static_cast<std::size_t>(def.type)].name;
    const Value* value = find_attr(node, name);
    if (value == nullptr || type_attr(node, name) == operands[i]) continue;
    fail(Code::data_loss,
         describe(node) + ": input " + std::to_string(i) + " is " + weir::name(operands[i]) +
             ", its attribute '" + name + "' says " + weir::name(type_attr(node, name)));
  }
}

}  // namespace weir::io
