#pragma once

#include "flow/body.h"
#include "graph/graph.h"

namespace weir::inline v0::flow {

/// A While node of `outer`; its state is `state`, without anything hidden. Returns the state after
/// the loop. `may_vary`: the user said that shapes of the state may change.
std::vector<Tensor> while_node(const std::shared_ptr<graph::Builder>& outer,
                               Body condition,
                               Body body,
                               std::span<const Tensor> state,
                               const WhileOptions& options,
                               bool may_vary,
                               std::source_location where);

/// Annotation of a While node: a tensor of the state whose shape changes, which has no gradient.
inline constexpr const char* kVaryingState = "varying_state";

/// Repeats on the host.
std::vector<Tensor> while_eagerly(Body condition,
                                  Body body,
                                  std::vector<Tensor> state,
                                  const WhileOptions& options,
                                  std::source_location where);

}  // namespace weir::inline v0::flow
