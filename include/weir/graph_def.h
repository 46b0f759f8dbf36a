/// Graphs for viewers: TensorFlow's GraphDef, with what its nodes took.
///
///     SummaryWriter log("logs/demo");
///     log.graph(graph_def(f));                                 // as traced
///     const ProfiledGraph p = profile_graph(f, arguments);     // optimised, run once
///     log.graph("optimised", p.graph_def, p.stats);
#pragma once

#include <weir/export.h>
#include <weir/function.h>
#include <weir/graph.h>
#include <weir/summary.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir::inline v0 {

struct GraphDefOptions {
  /// The graph after the passes instead of the one that was traced.
  bool optimised = false;
  /// Shown at every node.
  std::string device = "/device:CPU:0";
  /// Larger constants are shown without their values.
  std::int64_t max_constant_bytes = 1024;
};

/// The bytes of a GraphDef to look at: variables are resources, fusions the nodes they stand for.
/// To run a graph elsewhere, save it with `saved_model::save`.
WEIR_API std::string graph_def(const ConcreteFunction& function,
                               const GraphDefOptions& options = {});
WEIR_API std::string graph_def(const Graph& graph, const GraphDefOptions& options = {});

struct ProfiledGraph {
  std::string graph_def;
  std::vector<NodeStats> stats;  // names are those in `graph_def`
};

/// Runs the function once for its effects on caches and once, node by node, with a clock. Variables
/// that it writes are written twice. A fusion's time stands at its last node.
WEIR_API ProfiledGraph profile_graph(const ConcreteFunction& function,
                                     std::span<const Tensor> arguments,
                                     const GraphDefOptions& options = {.optimised = true});

}  // namespace weir::inline v0
