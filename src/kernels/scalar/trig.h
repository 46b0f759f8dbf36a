/* sin, cos, tan for every float32: the argument is reduced with as many bits of 2/pi as it needs
 * (M. Payne, R. Hanek, "Radian reduction for trigonometric functions", 1983), in integers.
 * Accuracy is that with a fused multiply-add; without, the error is up to 0.9 ulp larger. */
#pragma once

#include "kernels/scalar/base.h"

/* a where the mask is 0, b where it is all ones. */
static inline uint32_t weir_blend(uint32_t a, uint32_t b, uint32_t mask) {
  return a ^ ((a ^ b) & mask);
}

/* One of five words, i in [0, 4]: written with masks, for selects would become a jump table. */
static inline uint32_t weir_pick_word(
    uint32_t i, uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3, uint32_t w4) {
  const uint32_t odd = 0u - (i & 1u);
  const uint32_t upper = 0u - (i >> 1 & 1u);
  const uint32_t last = 0u - (i >> 2 & 1u);
  return weir_blend(weir_blend(weir_blend(w0, w1, odd), weir_blend(w2, w3, odd), upper), w4, last);
}

/* |x| = (4 k + q) pi/2 + r with |r| <= pi/4: returns r, sets *quadrant to q modulo 4. */
static inline float weir_trig_reduce(float magnitude, uint32_t* quadrant) {
  const uint32_t bits = weir_bits_f32(magnitude);
  const uint32_t mantissa = (bits & 0x7fffffu) | 0x800000u;
  /* |x| = mantissa * 2^(exponent - 150). The binary digits of 2/pi
   * (here after one word of zeros) before `start` make whole turns only. */
  const uint32_t start = (bits >> 23) - 120u;
  const uint32_t word = start >> 5;
  const uint32_t shift = start & 31u;
  const uint32_t w0 = weir_pick_word(word, 0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u);
  const uint32_t w1 =
      weir_pick_word(word, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u);
  const uint32_t w2 =
      weir_pick_word(word, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u);
  const uint32_t w3 =
      weir_pick_word(word, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  const uint32_t v0 = (w0 << shift) | ((w1 >> 1) >> (31u - shift));
  const uint32_t v1 = (w1 << shift) | ((w2 >> 1) >> (31u - shift));
  const uint32_t v2 = (w2 << shift) | ((w3 >> 1) >> (31u - shift));
  /* The product modulo 2^96: two bits of quadrant, then the fraction. */
  const uint64_t low = (uint64_t)mantissa * v2;
  const uint64_t middle = (uint64_t)mantissa * v1 + (low >> 32);
  const uint32_t high = mantissa * v0 + (uint32_t)(middle >> 32);
  const uint32_t q = (high + 0x20000000u) >> 30;
  const int32_t fraction = (int32_t)(high - (q << 30));
  /* To float in two exact pieces of 24 and up to 30 bits, times pi/2. */
  const float head = (float)(fraction & ~0x3f);
  const float tail =
      (float)(int32_t)(((uint32_t)(fraction & 0x3f) << 24) | ((uint32_t)middle >> 8));
  const float r =
      weir_fma(head, 0x1.921fb6p-30f, weir_fma(head, -4.0709403e-17f, tail * 8.7196715e-17f));
  const int small = magnitude < 0.78539f;
  *quadrant = small ? 0u : q;
  return small ? magnitude : r;
}

static inline float weir_sin_core(float r) {
  const float z = r * r;
  float p = -1.95181e-04f;
  p = weir_fma(p, z, 8.332188e-03f);
  p = weir_fma(p, z, -1.6666655e-01f);
  return weir_fma(p * z, r, r);
}

static inline float weir_cos_core(float r) {
  const float z = r * r;
  float p = 2.4432553e-05f;
  p = weir_fma(p, z, -1.3887311e-03f);
  p = weir_fma(p, z, 4.1666646e-02f);
  return weir_fma(p, z * z, weir_fma(-0.5f, z, 1.0f));
}

/* The value of quadrant q: sin r, cos r, -sin r, -cos r. NaN for an infinite x. */
static inline float weir_trig_select(float r, uint32_t q, float x) {
  const float value = (q & 1u) != 0 ? weir_cos_core(r) : weir_sin_core(r);
  const float result = weir_f32_bits(weir_bits_f32(value) ^ ((q & 2u) << 30));
  return weir_abs_f32(x) < weir_inf_f32() ? result : weir_nan_f32();
}

/* 1.5 ulp. */
static inline float weir_sin_f32(float x) {
  uint32_t q;
  const float r = weir_trig_reduce(weir_abs_f32(x), &q);
  return weir_trig_select(r, q ^ ((weir_bits_f32(x) >> 31) << 1), x);
}

/* 1.5 ulp. */
static inline float weir_cos_f32(float x) {
  uint32_t q;
  const float r = weir_trig_reduce(weir_abs_f32(x), &q);
  return weir_trig_select(r, q + 1u, x);
}

/* 2.5 ulp. */
static inline float weir_tan_f32(float x) {
  uint32_t q;
  const float r = weir_trig_reduce(weir_abs_f32(x), &q);
  const float z = r * r;
  float p = 4.3759937e-03f;
  p = weir_fma(p, z, 9.19138e-05f);
  p = weir_fma(p, z, 1.0832084e-02f);
  p = weir_fma(p, z, 2.1284604e-02f);
  p = weir_fma(p, z, 5.405917e-02f);
  p = weir_fma(p, z, 1.3332674e-01f);
  p = weir_fma(p, z, 3.333335e-01f);
  const float t = weir_fma(p * z, r, r);
  const float value = (q & 1u) != 0 ? -1.0f / t : t;
  const float result = weir_f32_bits(weir_bits_f32(value) ^ (weir_bits_f32(x) & 0x80000000u));
  return weir_abs_f32(x) < weir_inf_f32() ? result : weir_nan_f32();
}
