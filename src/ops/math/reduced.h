#pragma once

/// For gradients of reductions: a reduced tensor brought back to the axes, and to the shape, of the
/// input.

#include "ops/define.h"

namespace weir::ops::reduced {

/// The reduced axes in [0, rank), sorted. Error: they are not known when the gradient is made.
std::vector<std::int64_t> axes(const GradientContext& g);

/// Number of elements that are combined into one; -1 if it is not known.
std::int64_t count(const GradientContext& g);

/// `t`, which has the shape of the output, with an axis of length 1 for each one that was reduced
/// away.
Tensor with_axes(const GradientContext& g, const Tensor& t);

/// `t` repeated along the reduced axes: the shape of the input.
Tensor spread(const GradientContext& g, const Tensor& t);

}  // namespace weir::ops::reduced
