/* Random numbers that are a function of a key and a counter: Philox 4x32-10 (Salmon et al., 2011),
 * and TensorFlow's ways from its 32-bit words to numbers. Frozen: the same key gives the same
 * numbers in every release.
 *
 * Words and uniform numbers equal TensorFlow's bit for bit. Normal numbers follow its formula; the
 * logarithm and the sine are evaluated in float64 here, rounded once, where it calls the C library:
 * they differ by an ulp now and then. */
#pragma once

#include "kernels/scalar/base.h"

typedef struct {
  uint32_t key[2];
  uint32_t counter[4];
} weir_philox;

static inline void weir_philox_round(uint32_t c[4], uint32_t k0, uint32_t k1) {
  const uint64_t a = (uint64_t)0xD2511F53u * c[0];
  const uint64_t b = (uint64_t)0xCD9E8D57u * c[2];
  const uint32_t c1 = c[1], c3 = c[3];
  c[0] = (uint32_t)(b >> 32) ^ c1 ^ k0;
  c[1] = (uint32_t)b;
  c[2] = (uint32_t)(a >> 32) ^ c3 ^ k1;
  c[3] = (uint32_t)a;
}

/* The four words that belong to the counter. */
static inline void weir_philox_words(const weir_philox* p, uint32_t words[4]) {
  uint32_t k0 = p->key[0], k1 = p->key[1];
  for (int i = 0; i < 4; ++i)
    words[i] = p->counter[i];
  for (int i = 0; i < 10; ++i) {
    weir_philox_round(words, k0, k1);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

/* Moves the counter on by n blocks of four words. */
static inline void weir_philox_skip(weir_philox* p, uint64_t n) {
  const uint64_t low = ((uint64_t)p->counter[1] << 32 | p->counter[0]) + n;
  p->counter[0] = (uint32_t)low;
  p->counter[1] = (uint32_t)(low >> 32);
  if (low < n && ++p->counter[2] == 0) ++p->counter[3];
}

/* Key and counter of a stateless op: the two numbers of its seed, scrambled. */
static inline weir_philox weir_philox_from_seed(uint64_t seed0, uint64_t seed1) {
  weir_philox p = {
      {0x3ec8f720u, 0x02461e29u},
      {(uint32_t)seed0, (uint32_t)(seed0 >> 32), (uint32_t)seed1, (uint32_t)(seed1 >> 32)}};
  uint32_t mix[4];
  weir_philox_words(&p, mix);
  p.key[0] = mix[0];
  p.key[1] = mix[1];
  p.counter[0] = p.counter[1] = 0;
  p.counter[2] = mix[2];
  p.counter[3] = mix[3];
  return p;
}

/* Uniform in [0, 1): the upper bits of the mantissa of a number in [1, 2). */
static inline float weir_uniform_f32(uint32_t word) {
  return weir_f32_bits((word & 0x7fffffu) | 0x3f800000u) - 1.0f;
}
static inline double weir_uniform_f64(uint32_t high, uint32_t low) {
  const uint64_t mantissa = ((uint64_t)(high & 0xfffffu) << 32) | low;
  return weir_f64_bits(mantissa | (uint64_t)1023 << 52) - 1.0;
}
/* The 10 bits that a float16, and the 7 bits that a bfloat16 has, as float32. */
static inline float weir_uniform_f16(uint32_t word) {
  return (float)(word & 0x3ffu) * 0x1p-10f;
}
static inline float weir_uniform_bf16(uint32_t word) {
  return (float)(word & 0x7fu) * 0x1p-7f;
}

/* log(u) for 2^-30 < u < 1, relative error 2^-38. */
static inline double weir_log_unit(double u) {
  const uint64_t bits = weir_bits_f64(u);
  const int32_t e = (int32_t)((bits - 0x3fe6a09e667f3bcdu) >> 52 & 0xfff);
  const int32_t exponent = e > 2047 ? e - 4096 : e;
  const double m = weir_f64_bits(bits - ((uint64_t)(int64_t)exponent << 52));
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 1.0 / 13.0;
  p = p * z + 1.0 / 11.0;
  p = p * z + 1.0 / 9.0;
  p = p * z + 1.0 / 7.0;
  p = p * z + 1.0 / 5.0;
  p = p * z + 1.0 / 3.0;
  return 2.0 * (s + s * z * p) + (double)exponent * 0x1.62e42fefa39efp-1;
}

/* sin(v) and cos(v) for 0 <= v <= 2 pi, relative error 2^-42. */
static inline void weir_sincos_turn(double v, double* sine, double* cosine) {
  const int32_t quarter = (int32_t)(v * 0x1.45f306dc9c883p-1 + 0.5);
  const double r =
      v - (double)quarter * 0x1.921fb54442d18p0 - (double)quarter * 0x1.1a62633145c07p-54;
  const double z = r * r;
  double s = -1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = r + r * z * s;
  double c = 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = c * z - 0.5;
  c = 1.0 + z * c;
  const double sine_part = quarter & 1 ? c : s, cosine_part = quarter & 1 ? s : c;
  *sine = quarter & 2 ? -sine_part : sine_part;
  *cosine = (quarter + 1) & 2 ? -cosine_part : cosine_part;
}

/* Two standard normal numbers from two words (Box and Muller). */
static inline void weir_normal_f32(uint32_t word0, uint32_t word1, float* first, float* second) {
  const float u = weir_uniform_f32(word0);
  const float radius_u = u < 1.0e-7f ? 1.0e-7f : u;
  const float angle = (float)(0x1.921fb54442d18p2 * (double)weir_uniform_f32(word1));
  const float radius = __builtin_sqrtf(-2.0f * (float)weir_log_unit((double)radius_u));
  double sine, cosine;
  weir_sincos_turn((double)angle, &sine, &cosine);
  *first = (float)sine * radius;
  *second = (float)cosine * radius;
}
