#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "function/differentiated.h"
#include "graph/graph.h"
#include "io/proto/graph.pb.h"

namespace weir::io {

struct ExportOptions {
  /// Variables become constants with their present values, and a graph that writes one is refused.
  /// Otherwise they are resources (VarHandleOp), as a viewer wants to see them.
  bool freeze = true;
  /// Larger constants are written without their value: for viewers, who do not show it.
  std::int64_t max_constant_bytes = std::numeric_limits<std::int64_t>::max();
  /// Leaves out nodes that no result or effect needs.
  bool prune = true;
  /// Of every node: "/device:CPU:0"; empty: not placed.
  std::string device;
  /// Before every node's name; ends in "/" unless empty.
  std::string name_prefix;
};

/// A name as TensorFlow allows it for a node: letters, digits, and _ . - / inside.
std::string node_name(const std::string& name);

/// TensorFlow's names of a graph's arguments and results: "x:0".
struct ExportedNames {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  /// By node of the graph: its name here, of a region that of its last node; "" if it has none.
  std::vector<std::string> nodes;
};

/// Appends `graph` to `out`, in TensorFlow's form: derived from the op definitions, static operands
/// written as constants, regions as the nodes they stand for, bodies as functions of the library.
/// Throws weir::Error.
ExportedNames export_graph(const graph::Graph& graph,
                           const ExportOptions& options,
                           proto::GraphDef* out);

/// Appends a function to the library of `out`: its arguments are those of the graph in the order
/// `inputs`, then one resource for each variable; its results are in the order `outputs`. Variables
/// are read when it begins and written when it ends. Throws weir::Error.
void export_function(const tracing::PureGraph& function,
                     const std::string& name,
                     std::span<const std::size_t> inputs,
                     std::span<const std::size_t> outputs,
                     proto::GraphDef* out);

}  // namespace weir::io
