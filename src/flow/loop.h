#pragma once

#include "flow/body.h"
#include "graph/graph.h"

namespace weir::inline v0::flow {

/// A While node of `outer`; its state is `state`, without anything hidden. Returns the state after
/// the loop.
std::vector<Tensor> while_node(const std::shared_ptr<graph::Builder>& outer,
                               Body condition,
                               Body body,
                               std::span<const Tensor> state,
                               const WhileOptions& options,
                               std::source_location where);

/// Repeats on the host.
std::vector<Tensor> while_eagerly(Body condition,
                                  Body body,
                                  std::vector<Tensor> state,
                                  const WhileOptions& options,
                                  std::source_location where);

}  // namespace weir::inline v0::flow
