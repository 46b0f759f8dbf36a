#pragma once

#include <span>
#include <string>

#include "graph/graph.h"
#include "io/proto/graph.pb.h"

namespace weir::io {

/// The attribute `name` of a node, added.
proto::AttrValue* add_attr(proto::NodeDef* node, const std::string& name);

/// Writes the attributes of an op node, as its definition says. Static operands are not among them,
/// their types are.
void write_attrs(const graph::Graph& graph, const graph::Node& node, proto::NodeDef* out);

/// True for dimensions that files hold as a shape, where others are lists: TensorFlow gives every
/// such attribute this name.
inline bool is_shape(const AttrDef& def) {
  return def.kind == rt::Attr::Kind::ints && !def.is_operand && def.name == "shape";
}

/// The integers of a static operand: those of the node, or what their absence stands for. Throws
/// when that depends on an unknown rank.
std::vector<std::int64_t> static_values(const graph::Graph& graph,
                                        const graph::Node& node,
                                        std::size_t attr);

/// The dtype that a static operand has in files.
DType static_dtype(const graph::Graph& graph, const graph::Node& node, std::size_t attr);

/// Inputs of the op itself; the values of static operands that are not known follow them.
std::size_t own_inputs(const graph::Node& node);

}  // namespace weir::io
