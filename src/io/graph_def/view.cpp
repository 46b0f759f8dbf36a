#include <weir/graph_def.h>

#include <chrono>

#include "function/concrete.h"
#include "function/graph_impl.h"
#include "graph/replay.h"
#include "io/graph_def/export.h"

namespace weir::inline v0 {
namespace {

using Clock = std::chrono::steady_clock;

io::ExportOptions export_options(const GraphDefOptions& options) {
  io::ExportOptions out;
  out.freeze = false;
  out.max_constant_bytes = options.max_constant_bytes;
  out.device = options.device;
  return out;
}

// Sees every node after it ran.
struct Stopwatch {
  const graph::Graph& graph;
  const std::vector<std::string>& names;
  const std::string& device;
  std::vector<NodeStats> stats;
  Clock::time_point start = Clock::now();
  Clock::time_point last = start;

  static std::int64_t nanoseconds(Clock::duration time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  }

  void note(int node, std::span<const Tensor> results) {
    const Clock::time_point now = Clock::now();
    const graph::Kind kind = graph.node(node).kind;
    const std::string& name = names[static_cast<std::size_t>(node)];
    const bool runs = kind != graph::Kind::input && kind != graph::Kind::constant;
    if (runs && !name.empty()) {
      NodeStats entry{name, device, nanoseconds(last - start), nanoseconds(now - last), 0, {}};
      for (const Tensor& result : results) {
        entry.bytes += result.nbytes();
        entry.output_shapes.push_back(result.shape());
      }
      stats.push_back(std::move(entry));
    }
    last = Clock::now();
  }
};

}  // namespace

std::string graph_def(const ConcreteFunction& function, const GraphDefOptions& options) {
  proto::GraphDef def;
  const tracing::Trace& trace = *function.impl()->trace;
  if (options.optimised) {
    const auto plan = function.impl()->trace->plan_for_signature();
    io::export_graph(plan->optimised(), export_options(options), &def);
  } else {
    io::export_graph(*trace.graph(), export_options(options), &def);
  }
  return def.SerializeAsString();
}

std::string graph_def(const Graph& graph, const GraphDefOptions& options) {
  proto::GraphDef def;
  io::ExportOptions all = export_options(options);
  all.prune = false;  // a graph made by hand has no results of its own
  io::export_graph(graph.impl()->builder->graph(), all, &def);
  return def.SerializeAsString();
}

ProfiledGraph profile_graph(const ConcreteFunction& function,
                            std::span<const Tensor> arguments,
                            const GraphDefOptions& options) {
  function(arguments);
  const auto plan = function.impl()->trace->plan(arguments);
  const graph::Graph& graph =
      options.optimised ? plan->optimised() : *function.impl()->trace->graph();
  proto::GraphDef def;
  const io::ExportedNames names = io::export_graph(graph, export_options(options), &def);
  Stopwatch watch{graph, names.nodes, options.device, {}};
  graph::replay(
      graph,
      arguments,
      [](void* context, int node, std::span<const Tensor> results) {
        static_cast<Stopwatch*>(context)->note(node, results);
      },
      &watch);
  return {def.SerializeAsString(), std::move(watch.stats)};
}

}  // namespace weir::inline v0
