/* Ground of the scalar kernels: headers that are C99 and C++, so that the same text is vectorised
 * by the compiler, called by fused tiles and printed into generated C.
 *
 * Rules of this folder: branch-free (selects only), no calls except to functions of this folder and
 * builtins that are one instruction, no state. float32 results depend neither on the vector width
 * nor on whether the compiler vectorised. Compile with -ffp-contract=off -fno-math-errno
 * -fno-trapping-math. Accuracy is stated with each function, in units in the last place, as
 * measured by elementwise_test.cpp against long double. */
#pragma once

#include <stdint.h>

/* a * b + c, rounded once where the target has the instruction and WEIR_EXACT is not defined;
 * rounded twice elsewhere. Nothing else in this folder may fuse. */
static inline float weir_fma(float a, float b, float c) {
#if !defined(WEIR_EXACT) && (defined(__FMA__) || defined(__ARM_FEATURE_FMA))
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

static inline double weir_fma_f64(double a, double b, double c) {
#if !defined(WEIR_EXACT) && (defined(__FMA__) || defined(__ARM_FEATURE_FMA))
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

static inline uint32_t weir_bits_f32(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float weir_f32_bits(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint64_t weir_bits_f64(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double weir_f64_bits(uint64_t bits) {
  double x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

static inline float weir_inf_f32(void) {
  return weir_f32_bits(0x7f800000u);
}

static inline float weir_nan_f32(void) {
  return weir_f32_bits(0x7fc00000u);
}

static inline float weir_abs_f32(float x) {
  return weir_f32_bits(weir_bits_f32(x) & 0x7fffffffu);
}

/* |magnitude| with the sign of `sign`. */
static inline float weir_copysign_f32(float magnitude, float sign) {
  return weir_f32_bits((weir_bits_f32(magnitude) & 0x7fffffffu) |
                       (weir_bits_f32(sign) & 0x80000000u));
}

/* 2^n for -126 <= n <= 127. */
static inline float weir_exp2i_f32(int32_t n) {
  return weir_f32_bits((uint32_t)(n + 127) << 23);
}
