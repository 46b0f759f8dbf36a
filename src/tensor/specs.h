#pragma once

/// Questions about shapes and known values that several rooms ask.

#include <weir/op_def.h>
#include <weir/tensor.h>

#include <cstdint>
#include <vector>

namespace weir::tensor {

/// No known dimension contradicts: what is unknown agrees with anything.
bool may_be_equal(ShapeView a, ShapeView b);
/// A value of spec `value` may stand where `wanted` is declared: same dtype and rank, every known
/// dimension of `wanted`.
bool fits(SpecView value, const Spec& wanted);

/// `t` itself, or the constant of a graph that it stands for; null if its value is not known.
const Tensor* known_value(const Tensor& t);
/// The elements of an integer tensor.
std::vector<std::int64_t> integers(const Tensor& t);
/// A tensor that has a shape and no elements, for ops that read none.
Tensor without_elements(DType dtype, ShapeView shape);

}  // namespace weir::tensor
