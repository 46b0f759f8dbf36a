#pragma once

#include <memory>

#include "graph/graph.h"

namespace weir::tracing {

/// The part of `graph` that computes `fetches` from `feeds`: each feed becomes an input, in order;
/// what is not needed is left out. `missing`: placeholders that are needed and not fed.
struct Subgraph {
  std::shared_ptr<graph::Graph> graph;
  std::vector<std::string> missing;
};
Subgraph extract(const graph::Graph& graph,
                 std::span<const graph::Ref> feeds,
                 std::span<const graph::Ref> fetches);

}  // namespace weir::tracing
