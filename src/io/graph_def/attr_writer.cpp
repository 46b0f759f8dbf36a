#include "io/graph_def/attr_writer.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "io/file/file.h"
#include "io/graph_def/tensor_proto.h"

namespace weir::io {
namespace {

using Kind = rt::Attr::Kind;

// The dtype that the operands or outputs of a node give to type parameter `type`.
DType bound_dtype(const graph::Graph& graph, const graph::Node& node, int type) {
  const auto& inputs = node.op->input_defs();
  for (std::size_t i = 0; i < inputs.size() && i < node.inputs.size(); ++i) {
    if (inputs[i].type == type) return graph.spec(node.inputs[i]).dtype;
  }
  const auto& outputs = node.op->output_defs();
  for (std::size_t i = 0; i < outputs.size() && i < node.outputs.size(); ++i) {
    if (outputs[i].type == type) return node.outputs[i].dtype;
  }
  return DType::invalid;
}

void set_value(const rt::Attr& attr, proto::AttrValue* out) {
  switch (attr.kind) {
    case Kind::integer:
      return out->set_i(attr.i);
    case Kind::real:
      return out->set_f(static_cast<float>(attr.f));
    case Kind::boolean:
      return out->set_b(attr.b);
    case Kind::dtype:
      return out->set_type(static_cast<proto::DataType>(attr.t));
    case Kind::string:
      return out->set_s(attr.s, attr.count);
    case Kind::ints:
      out->mutable_list()->mutable_i()->Add(attr.ints, attr.ints + attr.count);
      return;
    case Kind::reals:
      out->mutable_list()->mutable_f()->Add(attr.reals, attr.reals + attr.count);
      return;
    case Kind::none:
    case Kind::operand:
      return;
  }
}

void set_shape(const rt::Attr& dims, proto::AttrValue* out) {
  to_proto(Shape(std::span(dims.ints, dims.count)), out->mutable_shape());
}

void set_type(proto::NodeDef* node, const std::string& name, DType dtype) {
  if (dtype == DType::invalid) return;
  add_attr(node, name)->set_type(static_cast<proto::DataType>(dtype));
}

// Files keep a map by name, and the same graph shall give the same bytes.
void sort_attrs(proto::NodeDef* node) {
  std::sort(node->mutable_attr()->begin(),
            node->mutable_attr()->end(),
            [](const auto& a, const auto& b) { return a.key() < b.key(); });
}

// The number of operands is an attribute of the op itself, which has as many outputs (ShapeN).
bool counts_by_attr(const OpDef& op) {
  const std::string& count = op.stored_name(op.input_defs().back().count_attr);
  return std::any_of(op.attrs().begin(), op.attrs().end(), [&](const AttrDef& a) {
    return op.stored_name(a.name) == count;
  });
}

}  // namespace

proto::AttrValue* add_attr(proto::NodeDef* node, const std::string& name) {
  proto::AttrEntry* entry = node->add_attr();
  entry->set_key(name);
  return entry->mutable_value();
}

std::size_t own_inputs(const graph::Node& node) {
  std::size_t count = node.inputs.size();
  for (const rt::Attr& attr : node.attrs.view())
    count -= attr.kind == Kind::operand ? 1 : 0;
  return count;
}

DType static_dtype(const graph::Graph& graph, const graph::Node& node, std::size_t attr) {
  const auto& defs = node.op->attrs();
  const AttrDef& def = defs[attr];
  if (def.type_attr.empty()) return def.operand_dtype;
  // An operand of the op's own may bind the same parameter (ScatterNd).
  for (std::size_t i = 0; i < node.op->types().size(); ++i) {
    if (node.op->types()[i].name == def.type_attr)
      return bound_dtype(graph, node, static_cast<int>(i));
  }
  // Static operands that share a type parameter follow one whose value comes at run time.
  for (std::size_t i = 0; i < defs.size(); ++i) {
    const rt::Attr& value = node.attrs[i];
    if (!defs[i].is_operand || defs[i].type_attr != def.type_attr) continue;
    if (value.kind == Kind::operand) {
      return graph.spec(node.inputs[static_cast<std::size_t>(value.i)]).dtype;
    }
    if (value.kind != Kind::ints) continue;
    const bool large = std::any_of(value.ints, value.ints + value.count, [](std::int64_t v) {
      return v != static_cast<std::int32_t>(v);
    });
    if (large) return DType::int64;
  }
  return def.operand_dtype;
}

std::vector<std::int64_t> static_values(const graph::Graph& graph,
                                        const graph::Node& node,
                                        std::size_t attr) {
  const AttrDef& def = node.op->attrs()[attr];
  const rt::Attr& value = node.attrs[attr];
  if (value.kind == Kind::ints) return {value.ints, value.ints + value.count};
  if (!def.default_ints.empty()) return def.default_ints;
  const Shape& shape = graph.spec(node.inputs[0]).shape;
  if (!shape.has_rank()) {
    fail(Code::unimplemented,
         "node '" + node.name + "': writing '" + def.name + "' of an input of unknown rank",
         "pass '" + def.name + "' in the call");
  }
  std::vector<std::int64_t> axes(static_cast<std::size_t>(shape.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  if (def.when_absent == WhenAbsent::reversed_axes) std::reverse(axes.begin(), axes.end());
  return axes;
}

void write_attrs(const graph::Graph& graph, const graph::Node& node, proto::NodeDef* out) {
  const OpDef& op = *node.op;
  for (std::size_t i = 0; i < op.types().size(); ++i) {
    const TypeParam& type = op.types()[i];
    // TensorFlow has no parameter where there is no choice (LogicalAnd).
    if (type.allowed.only() != DType::invalid) continue;
    const DType dtype = type.attr >= 0 ? node.attrs[static_cast<std::size_t>(type.attr)].t
                                       : bound_dtype(graph, node, static_cast<int>(i));
    set_type(out, type.name, dtype);
  }
  if (op.variadic() && !counts_by_attr(op)) {
    const std::size_t count = own_inputs(node) - (op.input_defs().size() - 1);
    const std::string& name = op.stored_name(op.input_defs().back().count_attr);
    add_attr(out, name)->set_i(static_cast<std::int64_t>(count));
  }
  std::set<std::string> written;
  for (const TypeParam& type : op.types())
    written.insert(type.name);
  for (std::size_t i = 0; i < op.attrs().size(); ++i) {
    const AttrDef& def = op.attrs()[i];
    if (def.is_operand) {
      const bool own = !def.type_attr.empty() && written.insert(def.type_attr).second;
      if (own) set_type(out, def.type_attr, static_dtype(graph, node, i));
    } else if (def.kind != Kind::dtype && node.attrs[i].has_value()) {
      proto::AttrValue* value = add_attr(out, op.stored_name(def.name));
      is_shape(def) ? set_shape(node.attrs[i], value) : set_value(node.attrs[i], value);
    }
  }
  sort_attrs(out);
}

}  // namespace weir::io
