#pragma once

/// Exponentials of many values: the care that results at the ends of the range take is left out
/// where no value of a block needs it. The bits are those of weir_exp_f32.

#include "kernels/scalar/elementwise.h"
#include "kernels/scalar/exp.h"

namespace weir::kernels::WEIR_ISA {
namespace {  // the scalar functions are local to each object

inline bool all_normal(const float* x, std::int64_t n) {
  std::int32_t outside = 0;
  for (std::int64_t i = 0; i < n; ++i)
    outside |= x[i] > -87.0f && x[i] < 88.0f ? 0 : 1;
  return outside == 0;
}

/// y[i] = exp(x[i]); y may be x.
inline void exp_block(const float* x, float* y, std::int64_t n) {
  constexpr std::int64_t kBlock = 512;  // stays in the first-level cache between the two loops
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const float* from = x + begin;
    float* to = y + begin;
    const std::int64_t count = n - begin < kBlock ? n - begin : kBlock;
    if (all_normal(from, count))
      for_each(count, [=](std::int64_t i) { to[i] = weir_exp_normal_f32(from[i]); });
    else
      for_each(count, [=](std::int64_t i) { to[i] = weir_exp_f32(from[i]); });
  }
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
