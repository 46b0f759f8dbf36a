#pragma once

/// `replay` is the only thing that gives a graph meaning by walking it: it issues every node
/// through dispatch. Under the eager handler it runs the graph; under a Builder it inlines it; with
/// a tape active it differentiates it.

#include "graph/graph.h"

namespace weir::graph {

/// Hooks for the structural kinds with bodies, which `flow` knows how to run: replay itself handles
/// input, constant, read, write, op, and call and region (by replaying the body).
using StructuralRunner = std::vector<Tensor> (*)(const Node& node, std::span<const Tensor> inputs);
/// Set once by src/flow at start (an inversion by data, like default_handler): runs if, while and
/// case nodes.
void set_structural_runner(StructuralRunner runner);

/// Values of graph.outputs for these inputs, one for each of graph.inputs. `on_node`, if given,
/// sees every node's results (the debugger's stepper).
std::vector<Tensor> replay(const Graph& graph,
                           std::span<const Tensor> inputs,
                           void (*on_node)(void* context,
                                           int node,
                                           std::span<const Tensor> results) = nullptr,
                           void* context = nullptr);

}  // namespace weir::graph
