#pragma once

#include <span>

#include "passes/pass.h"

namespace weir::passes {

/// Runs one op node eagerly, unseen by tapes and traces of this thread. Throws what the op throws.
std::vector<Tensor> evaluate(const Node& node, std::span<const Tensor> inputs);

/// Bytes of all outputs; -1 if a shape is not known or elements are strings.
std::int64_t output_bytes(const Node& node);

}  // namespace weir::passes
