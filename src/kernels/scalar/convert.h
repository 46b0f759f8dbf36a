/* float16 and bfloat16, as bits, from and to float32. Rounding is to nearest, ties to even; NaN
 * stays NaN (made quiet, payload cut), infinities and signed zeros are kept, denormals are exact.
 */
#pragma once

#include "kernels/scalar/base.h"

static inline float weir_f32_from_f16(uint16_t h) {
  const uint32_t magnitude = (uint32_t)(h & 0x7fffu) << 13;
  /* The exponent is moved by a multiplication, which also makes denormals normal. */
  const uint32_t finite = weir_bits_f32(weir_f32_bits(magnitude) * 0x1p112f);
  const uint32_t special = magnitude | 0x7f800000u | ((h & 0x3ffu) != 0 ? 0x400000u : 0u);
  const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
  return weir_f32_bits(((h & 0x7c00u) == 0x7c00u ? special : finite) | sign);
}

static inline uint16_t weir_f16_from_f32(float x) {
  const uint32_t bits = weir_bits_f32(x);
  const uint32_t magnitude = bits & 0x7fffffffu;
  const uint32_t odd = (magnitude >> 13) & 1u;
  const uint32_t normal = (magnitude - (112u << 23) + 0xfffu + odd) >> 13;
  /* Adding 0.5 leaves a denormal half in the last bits: the addition does the rounding. */
  const uint32_t small = weir_bits_f32(weir_f32_bits(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t finite = magnitude < (113u << 23) ? small : normal;
  const uint32_t large = magnitude >= 0x477ff000u ? 0x7c00u : finite; /* 65520 and above */
  const uint32_t nan = 0x7e00u | ((magnitude >> 13) & 0x1ffu);
  return (uint16_t)((magnitude > 0x7f800000u ? nan : large) | ((bits >> 16) & 0x8000u));
}

static inline float weir_f32_from_bf16(uint16_t h) {
  return weir_f32_bits((uint32_t)h << 16);
}

static inline uint16_t weir_bf16_from_f32(float x) {
  const uint32_t bits = weir_bits_f32(x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t nan = (bits >> 16) | 0x40u;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}
