/* Powers and roots. */
#pragma once

#include "kernels/scalar/round.h"

static inline float weir_sqrt_f32(float x) {
  return __builtin_sqrtf(x);
}

/* 1 / sqrt(x). 1.5 ulp. */
static inline float weir_rsqrt_f32(float x) {
  return 1.0f / __builtin_sqrtf(x);
}

/* log2 of a positive double that is not denormal, relative error 2^-44. */
static inline double weir_log2_coarse(double x) {
  const uint64_t bits = weir_bits_f64(x) - 0x3fe6a09e667f3bcdu;
  const int32_t e = (int32_t)(uint32_t)(bits >> 32) >> 20;
  const double m = weir_f64_bits(weir_bits_f64(x) - ((uint64_t)(uint32_t)e << 52));
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double p = 0.28258073069170064;
  p = weir_fma_f64(p, z, 0.3199321044076874);
  p = weir_fma_f64(p, z, 0.41220846097073205);
  p = weir_fma_f64(p, z, 0.577077952684188);
  p = weir_fma_f64(p, z, 0.9617966940590894);
  p = weir_fma_f64(p, z, 2.8853900817779268);
  return weir_fma_f64(p, s, (double)e);
}

/* 2^x for |x| < 1000, relative error 2^-34. */
static inline double weir_exp2_coarse(double x) {
  const double shifted = x + 0x1.8p52;
  const double f = x - (shifted - 0x1.8p52);
  const uint64_t scale = (weir_bits_f64(shifted) + 1023u) << 52;
  double p = 1.5196133851561625e-05;
  p = weir_fma_f64(p, f, 0.00015466781534732884);
  p = weir_fma_f64(p, f, 0.00133339353572168);
  p = weir_fma_f64(p, f, 0.009618038059583396);
  p = weir_fma_f64(p, f, 0.05550410365390813);
  p = weir_fma_f64(p, f, 0.24022651067003434);
  p = weir_fma_f64(p, f, 0.6931471807047634);
  return weir_fma_f64(p, f, 1.0) * weir_f64_bits(scale);
}

/* |x|^y for finite nonzero x. */
static inline float weir_pow_magnitude(float x, float y) {
  const double exponent = (double)y * weir_log2_coarse((double)weir_abs_f32(x));
  const double below = exponent < -300.0 ? -300.0 : exponent;
  return (float)weir_exp2_coarse(below > 300.0 ? 300.0 : below);
}

/* x^y with the special values of C's pow: 0^0 = 1, NaN for negative x and a broken y. 1 ulp. */
static inline float weir_pow_f32(float x, float y) {
  const float magnitude = weir_abs_f32(x);
  const float infinity = weir_inf_f32();
  const int whole = weir_rint_f32(y) == y;
  const int odd = whole & (weir_rint_f32(0.5f * y) != 0.5f * y);
  const float regular = weir_pow_magnitude(x, y);
  const float edge = (magnitude == 0.0f) == (y < 0.0f) ? infinity : 0.0f; /* x is 0 or infinite */
  const float value = ((magnitude == 0.0f) | (magnitude == infinity)) ? edge : regular;
  const float unit = ((magnitude == 1.0f) & (y == y)) ? 1.0f : value;
  const uint32_t sign = odd ? weir_bits_f32(x) & 0x80000000u : 0u;
  const float signed_value = weir_f32_bits(weir_bits_f32(unit) ^ sign);
  const int undefined = (x < 0.0f) & !whole & (magnitude != infinity);
  const float defined = undefined ? weir_nan_f32() : signed_value;
  const float number = ((x != x) | (y != y)) ? x + y : defined;
  return ((x == 1.0f) | (y == 0.0f)) ? 1.0f : number;
}
