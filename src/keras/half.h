#pragma once

#include <weir/ops/math.h>

namespace weir::inline v0::keras {

inline bool is_half(const Tensor& t) {
  return is_floating(t.dtype()) && byte_size(t.dtype()) < 4;
}

/// Half types in float32: sums and logarithms of predictions are computed in it.
inline Tensor at_least_float32(const Tensor& t) {
  return is_half(t) ? cast(t, DType::float32) : t;
}

}  // namespace weir::inline v0::keras
