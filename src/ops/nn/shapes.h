#pragma once

/// Dimension rules that several ops of this family share.

#include "ops/define.h"

namespace weir::ops::infer {

/// The dimension that a and b must both be; the known one if only one is. Error: "WHAT differ".
Dim equal_dims(InferContext& c, Dim a, Dim b, const char* what);
/// Fails unless input `i` has this rank.
void require_rank(InferContext& c, int i, int rank);

}  // namespace weir::ops::infer
