#pragma once

/// Cuts a graph into stages.

#include <vector>

#include "graph/graph.h"

namespace weir::plan {

/// Consecutive nodes that are run together. Constants belong to every stage that reads them.
struct StageNodes {
  enum class Kind : std::uint8_t {
    program,  // one static program
    host,     // replayed
    control,  // a branch or a loop, whose bodies are planned by themselves
  };
  Kind kind = Kind::program;
  std::vector<int> nodes;           // in program order, the constants they read included
  std::vector<graph::Ref> inputs;   // read, computed outside
  std::vector<graph::Ref> results;  // computed here, read outside
};

/// The stages of what the results and the effects of `graph` need. Constants that are results of
/// the graph are in no stage.
std::vector<StageNodes> partition(const graph::Graph& graph);

/// The nodes of a host stage as a graph of their own, whose inputs and outputs are the stage's.
std::shared_ptr<graph::Graph> extract(const graph::Graph& graph, const StageNodes& stage);

}  // namespace weir::plan
