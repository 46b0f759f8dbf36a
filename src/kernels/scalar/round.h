/* Rounding to integers, exact for every float32, with the sign of zero kept (round(-0.3) is -0). */
#pragma once

#include "kernels/scalar/base.h"

/* To the nearest integer, ties to even. */
static inline float weir_rint_f32(float x) {
  const float magnitude = weir_abs_f32(x);
  const float rounded = (magnitude + 0x1p23f) - 0x1p23f;
  return magnitude < 0x1p23f ? weir_copysign_f32(rounded, x) : x;
}

static inline float weir_floor_f32(float x) {
  const float rounded = weir_rint_f32(x);
  return rounded > x ? rounded - 1.0f : rounded;
}

static inline float weir_ceil_f32(float x) {
  const float rounded = weir_rint_f32(x);
  return weir_copysign_f32(rounded < x ? rounded + 1.0f : rounded, x);
}

static inline float weir_trunc_f32(float x) {
  return weir_copysign_f32(weir_floor_f32(weir_abs_f32(x)), x);
}
