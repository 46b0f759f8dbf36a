/* Arithmetic that C does not give with the meaning wanted here, piecewise linear units, and the
 * gradients that are one expression. The other arithmetic of floats is written with operators. */
#pragma once

#include "kernels/scalar/exp.h"
#include "kernels/scalar/round.h"

/* Minimum and maximum: NaN if either is NaN. */
static inline float weir_max_f32(float x, float y) {
  return ((x > y) | (x != x)) ? x : y;
}
static inline float weir_min_f32(float x, float y) {
  return ((x < y) | (x != x)) ? x : y;
}

/* -1, 0 or 1; zeros and NaN are returned as they are. */
static inline float weir_sign_f32(float x) {
  return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}

/* floor(x / y). */
static inline float weir_floordiv_f32(float x, float y) {
  return weir_floor_f32(x / y);
}

/* 0 where y is 0, whatever x is. */
static inline float weir_div_no_nan_f32(float x, float y) {
  return y == 0.0f ? 0.0f : x / y;
}
static inline float weir_mul_no_nan_f32(float x, float y) {
  return y == 0.0f ? 0.0f : x * y;
}

/* Integer division rounding toward minus infinity, and its remainder, which has the sign of y.
 * Total: y = 0 gives 0 (the caller reports it) and the overflow of INT_MIN / -1 wraps. */
static inline int64_t weir_floordiv_i64(int64_t x, int64_t y) {
  if (y == 0) return 0;
  if (y == -1) return (int64_t)(0u - (uint64_t)x);
  return x / y - ((x % y != 0) & ((x < 0) != (y < 0)));
}
static inline int64_t weir_floormod_i64(int64_t x, int64_t y) {
  if (y == 0 || y == -1) return 0;
  const int64_t r = x % y;
  return ((r != 0) & ((r < 0) != (y < 0))) ? r + y : r;
}
static inline int32_t weir_floordiv_i32(int32_t x, int32_t y) {
  return (int32_t)(uint32_t)(uint64_t)weir_floordiv_i64(x, y);
}
static inline int32_t weir_floormod_i32(int32_t x, int32_t y) {
  return (int32_t)weir_floormod_i64(x, y);
}

/* The same rounding toward zero: what C's operators do, made total. */
static inline int64_t weir_truncdiv_i64(int64_t x, int64_t y) {
  if (y == 0) return 0;
  return y == -1 ? (int64_t)(0u - (uint64_t)x) : x / y;
}
static inline int64_t weir_truncmod_i64(int64_t x, int64_t y) {
  return y == 0 || y == -1 ? 0 : x % y;
}

/* x^y for y >= 0, wrapping; y < 0 gives 0 (the caller reports it). */
static inline int64_t weir_pow_i64(int64_t x, int64_t y) {
  uint64_t base = (uint64_t)x;
  uint64_t result = y < 0 ? 0u : 1u;
  for (; y > 0; y >>= 1, base *= base)
    result = (y & 1) != 0 ? result * base : result;
  return (int64_t)result;
}

/* Units. NaN passes through all of them. */
static inline float weir_relu_f32(float x) {
  return x < 0.0f ? 0.0f : x;
}
static inline float weir_relu6_f32(float x) {
  return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x;
}
static inline float weir_leaky_relu_f32(float x, float alpha) {
  return x < 0.0f ? alpha * x : x;
}
static inline float weir_softsign_f32(float x) {
  return x / (1.0f + weir_abs_f32(x));
}

/* Exponential linear unit (arXiv:1511.07289) and its self-normalising form (arXiv:1706.02515). */
static inline float weir_elu_f32(float x) {
  return x < 0.0f ? weir_expm1_f32(x) : x;
}
static inline float weir_selu_f32(float x) {
  return x < 0.0f ? 1.75809934f * weir_expm1_f32(x) : 1.05070099f * x;
}

/* x times its sigmoid (arXiv:1710.05941, swish). */
static inline float weir_silu_f32(float x) {
  return x * weir_sigmoid_f32(x);
}

/* Gradients by the input x or by the result y, times dy. */
static inline float weir_relu_grad_f32(float dy, float x) {
  return x > 0.0f ? dy : 0.0f;
}
static inline float weir_relu6_grad_f32(float dy, float x) {
  return ((x > 0.0f) & (x < 6.0f)) ? dy : 0.0f;
}
static inline float weir_leaky_relu_grad_f32(float dy, float x, float alpha) {
  return x > 0.0f ? dy : alpha * dy;
}
static inline float weir_elu_grad_f32(float dy, float y) {
  return y < 0.0f ? dy * (y + 1.0f) : dy;
}
static inline float weir_selu_grad_f32(float dy, float y) {
  return y < 0.0f ? dy * (y + 1.75809934f) : dy * 1.05070099f;
}
static inline float weir_sigmoid_grad_f32(float y, float dy) {
  return dy * (y * (1.0f - y));
}
static inline float weir_tanh_grad_f32(float y, float dy) {
  return dy * (1.0f - y * y);
}
static inline float weir_softplus_grad_f32(float dy, float x) {
  return dy * weir_sigmoid_f32(x);
}
static inline float weir_softsign_grad_f32(float dy, float x) {
  const float d = 1.0f + weir_abs_f32(x);
  return dy / (d * d);
}
static inline float weir_silu_grad_f32(float dy, float x) {
  const float s = weir_sigmoid_f32(x);
  return dy * (s * weir_fma(x, 1.0f - s, 1.0f));
}
static inline float weir_sqrt_grad_f32(float y, float dy) {
  return 0.5f * dy / y;
}
static inline float weir_rsqrt_grad_f32(float y, float dy) {
  return -0.5f * dy * (y * y * y);
}
static inline float weir_reciprocal_grad_f32(float y, float dy) {
  return -dy * (y * y);
}
