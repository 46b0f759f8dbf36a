/* Logarithms. Polynomial: ours, a minimax fit of (log(1 + f) - f + f^2 / 2) / f^3. */
#pragma once

#include "kernels/scalar/exp.h"

/* log(1 + f) + e ln 2 for 1 + f in [sqrt(1/2), sqrt(2)]; e * (upper part of ln 2) is exact. */
static inline float weir_log_core(float f, float e) {
  const float z = f * f;
  float p = 6.803063e-02f;
  p = weir_fma(p, f, -1.17219046e-01f);
  p = weir_fma(p, f, 1.1885235e-01f);
  p = weir_fma(p, f, -1.2396164e-01f);
  p = weir_fma(p, f, 1.421873e-01f);
  p = weir_fma(p, f, -1.6668652e-01f);
  p = weir_fma(p, f, 2.0002201e-01f);
  p = weir_fma(p, f, -2.4999994e-01f);
  p = weir_fma(p, f, 3.333331e-01f);
  const float low = weir_fma(e, 1.4286068e-06f, p * f * z);
  return weir_fma(e, 0.693145751953125f, f + weir_fma(-0.5f, z, low));
}

/* The exponent e that puts x * 2^-e into [sqrt(1/2), sqrt(2)); x positive and normal. */
static inline int32_t weir_log_exponent(float x) {
  return (int32_t)(weir_bits_f32(x) - 0x3f3504f3u) >> 23;
}

static inline float weir_log_mantissa(float x, int32_t e) {
  return weir_f32_bits(weir_bits_f32(x) - ((uint32_t)e << 23));
}

/* Natural logarithm: log(0) is -inf, of negative values NaN. 1 ulp. */
static inline float weir_log_f32(float x) {
  const int denormal = x < 0x1p-126f;
  const float normal = denormal ? x * 0x1p23f : x;
  const int32_t e = weir_log_exponent(normal);
  const float f = weir_log_mantissa(normal, e) - 1.0f;
  const float finite = weir_log_core(f, (float)(denormal ? e - 23 : e));
  const float positive = x == 0.0f ? -weir_inf_f32() : finite;
  const float valid = x < 0.0f ? weir_nan_f32() : positive;
  return x < weir_inf_f32() ? valid : x + x;
}

/* log(1 + x), accurate for small x: log1p(-1) is -inf, below NaN. 1.5 ulp. */
static inline float weir_log1p_f32(float x) {
  const float u = 1.0f + x;
  const int32_t e = weir_log_exponent(u);
  const float scale = weir_exp2i_f32(e > 30 ? -30 : e < -25 ? 25 : -e);
  const float small = weir_fma(x, scale, scale - 1.0f); /* (1 + x) 2^-e - 1, rounded once */
  const float f = e > 30 ? weir_log_mantissa(u, e) - 1.0f : small;
  const float finite = x == 0.0f ? x : weir_log_core(f, (float)e);
  const float above = x == -1.0f ? -weir_inf_f32() : finite;
  const float valid = x < -1.0f ? weir_nan_f32() : above;
  return x < weir_inf_f32() ? valid : x + x;
}

/* log(1 + e^x). 2 ulp. */
static inline float weir_softplus_f32(float x) {
  const float tail = weir_log1p_f32(weir_exp_f32(-weir_abs_f32(x)));
  return x > 0.0f ? x + tail : tail;
}
