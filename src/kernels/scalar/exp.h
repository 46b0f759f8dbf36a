/* Exponentials and what is made of them. Polynomials: ours, minimax fits of the functions named. */
#pragma once

#include "kernels/scalar/base.h"

/* x = n ln 2 + r with |r| <= ln(2) / 2, for x = hi + lo; n is a whole number of at most 8 bits, so
 * that n * (upper part of ln 2) is exact. NaN gives a NaN r. */
static inline float weir_exp_reduce(float hi, float lo, int32_t* n) {
  const float shifted = weir_fma(hi, 1.44269504f, 0x1.8p23f);
  const float whole = shifted - 0x1.8p23f;
  *n = (int32_t)(weir_bits_f32(shifted) - 0x4b400000u);
  return weir_fma(whole, -1.4286068e-06f, weir_fma(whole, -0.693145751953125f, hi) + lo);
}

/* exp(r) - 1 for |r| <= ln(2) / 2, relative error 2^-31 before rounding. */
static inline float weir_expm1_core(float r) {
  float p = 1.9764331e-04f;
  p = weir_fma(p, r, 1.3932365e-03f);
  p = weir_fma(p, r, 8.333543e-03f);
  p = weir_fma(p, r, 4.1666493e-02f);
  p = weir_fma(p, r, 1.6666666e-01f);
  p = weir_fma(p, r, 0.5f);
  return weir_fma(p, r * r, r);
}

/* p * 2^n for 0.5 < p < 2, n in [-150, 129]: two steps, so that only the last one rounds. */
static inline float weir_scale_f32(float p, int32_t n) {
  const int32_t half = n >> 1;
  return p * weir_exp2i_f32(half) * weir_exp2i_f32(n - half);
}

/* exp(hi + lo) with |lo| small against 1. 1 ulp. */
static inline float weir_exp_sum_f32(float hi, float lo) {
  const float below = hi < -104.0f ? -104.0f : hi;
  const float clamped = below > 89.0f ? 89.0f : below;
  int32_t n;
  const float r = weir_exp_reduce(clamped, lo, &n);
  return weir_scale_f32(1.0f + weir_expm1_core(r), n);
}

/* e^x. 1 ulp, denormal results included. */
static inline float weir_exp_f32(float x) {
  return weir_exp_sum_f32(x, 0.0f);
}

/* The same for x in (-87, 88), where the result is normal. */
static inline float weir_exp_normal_f32(float x) {
  int32_t n;
  const float p = 1.0f + weir_expm1_core(weir_exp_reduce(x, 0.0f, &n));
  return weir_f32_bits(weir_bits_f32(p) + ((uint32_t)n << 23));
}

/* e^x - 1. 2 ulp. */
static inline float weir_expm1_f32(float x) {
  const float below = x < -25.0f ? -25.0f : x;
  const float clamped = below > 89.0f ? 89.0f : below;
  int32_t n;
  const float core = weir_expm1_core(weir_exp_reduce(clamped, 0.0f, &n));
  const int32_t m = n > 127 ? 127 : n;
  const float scale = weir_exp2i_f32(m);
  const float result = weir_fma(scale, core, scale - 1.0f) * (n > 127 ? 2.0f : 1.0f);
  return x == 0.0f ? x : result;
}

/* 1 / (1 + e^-x). 2.2 ulp. */
static inline float weir_sigmoid_f32(float x) {
  const float e = weir_exp_f32(-weir_abs_f32(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* Hyperbolic tangent. 2 ulp. With h = (e^2|x| - 1) / 2 it is h / (h + 1), where h < 1 the same as
 * h - h * (h / (h + 1)), which does not feel the rounding of h + 1. */
static inline float weir_tanh_f32(float x) {
  const float magnitude = weir_abs_f32(x);
  const float clamped = magnitude > 10.0f ? 10.0f : magnitude; /* there the result is 1 */
  const float shifted = weir_fma(clamped, 2.88539008f, 0x1.8p23f);
  const float r = weir_fma(shifted - 0x1.8p23f, -0.34657359f, clamped);
  const float scale = weir_f32_bits((weir_bits_f32(shifted) << 23) + 0x3f800000u);
  /* (e^2r - 1) / 2 for |r| <= ln(2) / 4, relative error 2^-26; two halves, side by side. */
  const float z = r * r;
  const float upper = weir_fma(4.46293429e-02f, z, weir_fma(1.33867368e-01f, r, 3.33330244e-01f));
  const float core = weir_fma(weir_fma(upper, z, weir_fma(6.6666168e-01f, r, 1.0f)), z, r);
  const float half = weir_fma(scale, core, weir_fma(scale, 0.5f, -0.5f));
  const float large = half / (half + 1.0f);
  const float result = half < 1.0f ? weir_fma(-half, large, half) : large;
  return weir_f32_bits(weir_bits_f32(result) | (weir_bits_f32(x) & 0x80000000u));
}

/* e^|x| / 2, the half taken in the exponent so that it overflows only where sinh does. */
static inline float weir_half_exp_abs_f32(float x) {
  const float magnitude = weir_abs_f32(x);
  int32_t n;
  const float r = weir_exp_reduce(magnitude > 91.0f ? 91.0f : magnitude, 0.0f, &n);
  return weir_scale_f32(1.0f + weir_expm1_core(r), n - 1);
}

/* Hyperbolic sine. 2 ulp. */
static inline float weir_sinh_f32(float x) {
  const float half = weir_half_exp_abs_f32(x);
  const float large = weir_copysign_f32(half - 0.25f / half, x);
  const float z = x * x;
  float p = 2.7822132e-06f;
  p = weir_fma(p, z, 1.9842896e-04f);
  p = weir_fma(p, z, 8.3333105e-03f);
  p = weir_fma(p, z, 1.6666667e-01f);
  return weir_abs_f32(x) < 1.0f ? weir_fma(p * z, x, x) : large;
}

/* Hyperbolic cosine. 2 ulp. */
static inline float weir_cosh_f32(float x) {
  const float half = weir_half_exp_abs_f32(x);
  return half + 0.25f / half;
}
