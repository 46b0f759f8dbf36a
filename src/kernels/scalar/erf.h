/* The error function and the Gaussian units made of it. Polynomials: ours, minimax fits. */
#pragma once

#include "kernels/scalar/exp.h"

/* e^(a^2) erfc(a) for a = (1/t - 1) / 0.4 >= 0.49, relative error 2^-28 before rounding. */
static inline float weir_erfcx_core(float t) {
  float p = 5.6173373e-02f;
  p = weir_fma(p, t, -2.0223364e-01f);
  p = weir_fma(p, t, 1.9212076e-01f);
  p = weir_fma(p, t, -1.5031865e-02f);
  p = weir_fma(p, t, 1.3750432e-01f);
  p = weir_fma(p, t, 1.7440578e-01f);
  p = weir_fma(p, t, 2.0518892e-01f);
  p = weir_fma(p, t, 2.2627221e-01f);
  p = weir_fma(p, t, 2.256066e-01f);
  return weir_fma(p, t, 3.213141e-06f);
}

/* exp(-scale * a^2), the square split in two so that its rounding does not matter. */
static inline float weir_gauss_f32(float a, float scale) {
  const float head = weir_f32_bits(weir_bits_f32(a) & 0xfffff000u);
  return weir_exp_sum_f32(-scale * (head * head), -scale * ((a - head) * (a + head)));
}

/* erf(x) for |x| < 1. */
static inline float weir_erf_small(float x) {
  const float z = x * x;
  float p = 7.806903e-05f;
  p = weir_fma(p, z, -7.997853e-04f);
  p = weir_fma(p, z, 5.187162e-03f);
  p = weir_fma(p, z, -2.6853347e-02f);
  p = weir_fma(p, z, 1.1283579e-01f);
  p = weir_fma(p, z, -3.7612626e-01f);
  p = weir_fma(p, z, 1.2837917e-01f);
  return weir_fma(p, x, x);
}

/* erfc(a) for a >= 0.49. */
static inline float weir_erfc_large(float a) {
  const float clamped = a > 10.2f ? 10.2f : a;
  return weir_gauss_f32(clamped, 1.0f) * weir_erfcx_core(1.0f / weir_fma(clamped, 0.4f, 1.0f));
}

/* 1.5 ulp. */
static inline float weir_erf_f32(float x) {
  const float magnitude = weir_abs_f32(x);
  const float large = 1.0f - weir_erfc_large(magnitude);
  return magnitude < 1.0f ? weir_erf_small(x) : weir_copysign_f32(large, x);
}

/* 1 - erf(x). 4.5 ulp. */
static inline float weir_erfc_f32(float x) {
  const float tail = weir_erfc_large(weir_abs_f32(x));
  const float large = x < 0.0f ? 2.0f - tail : tail;
  return weir_abs_f32(x) < 0.84f ? 1.0f - weir_erf_small(x) : large;
}

/* weight * P(X > a) of a standard normal variable X, a >= 0.7; a finite weight goes in before the
 * last rounding, which matters where the probability is denormal. */
static inline float weir_normal_tail(float a, float weight) {
  const float clamped = a > 14.4f ? 14.4f : a;
  const float t = 1.0f / weir_fma(clamped, 0.282842712f, 1.0f);
  return weir_gauss_f32(clamped, 0.5f) * (0.5f * weight * weir_erfcx_core(t));
}

/* Probability that a standard normal variable is below x. 5.1 ulp. */
static inline float weir_normal_cdf_f32(float x) {
  const float tail = weir_normal_tail(weir_abs_f32(x), 1.0f);
  const float large = x > 0.0f ? 1.0f - tail : tail;
  const float small = weir_fma(0.5f, weir_erf_small(0.707106781f * x), 0.5f);
  return weir_abs_f32(x) < 1.15f ? small : large;
}

/* Gaussian error linear unit, x times the normal distribution function (arXiv:1606.08415). 5.1 ulp.
 */
static inline float weir_gelu_f32(float x) {
  const float magnitude = weir_abs_f32(x);
  const float clamped = magnitude > 14.4f ? 14.4f : magnitude;
  const float tail = weir_normal_tail(clamped, weir_copysign_f32(clamped, x));
  const float large = x > 0.0f ? x - tail : tail;
  const float small = x * weir_fma(0.5f, weir_erf_small(0.707106781f * x), 0.5f);
  return weir_abs_f32(x) < 1.15f ? small : large;
}

/* Derivative of gelu at x, times dy. */
static inline float weir_gelu_grad_f32(float dy, float x) {
  const float clamped = weir_abs_f32(x) > 16.0f ? 16.0f : weir_abs_f32(x);
  const float density = 0.398942280f * weir_gauss_f32(clamped, 0.5f);
  return dy * weir_fma(x, density, weir_normal_cdf_f32(x));
}

/* 0.5 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), written as a sigmoid: no cancellation. */
static inline float weir_gelu_tanh_gate(float x) {
  const float cubic = weir_fma(0.044715f * x, x * x, x);
  const float e = weir_exp_f32(-1.59576912f * weir_abs_f32(cubic));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* The tanh approximation of gelu from the same paper. Error below 2^-22 |x|. */
static inline float weir_gelu_tanh_f32(float x) {
  return x * weir_gelu_tanh_gate(x);
}

static inline float weir_gelu_tanh_grad_f32(float dy, float x) {
  const float gate = weir_gelu_tanh_gate(x);
  const float slope = 1.59576912f * weir_fma(0.134145f * x, x, 1.0f);
  return dy * weir_fma(x * slope, gate * (1.0f - gate), gate);
}
