#pragma once

/// Conversions between bfloat16 and float32 in bulk, which the compiler vectorises.

#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {
namespace {

inline void widen(const bfloat16* x, float* y, std::int64_t n) {
  for_each(n, [=](std::int64_t i) { y[i] = weir_f32_from_bf16(x[i].bits); });
}

/// To nearest, ties to even.
inline void narrow(const float* x, bfloat16* y, std::int64_t n) {
  for_each(n, [=](std::int64_t i) { y[i] = bfloat16{weir_bf16_from_f32(x[i])}; });
}

/// What narrow and widen make of x.
inline void round_to_bfloat16(const float* x, float* y, std::int64_t n) {
  for_each(n, [=](std::int64_t i) { y[i] = weir_f32_from_bf16(weir_bf16_from_f32(x[i])); });
}

/// The name of a kernel of bfloat16: that of the float32 kernel "MatMul/float32/avx2" it stands on,
/// with `dtypes` in place of "float32". (No std::string_view: what it would instantiate here is
/// compiled for one instruction set, and the linker may keep it for all.)
struct HalfName {
  char text[64] = {};

  HalfName() = default;
  HalfName(const char* wide, const char* dtypes) {
    std::size_t n = 0;
    const auto append = [&](const char* from, const char* end) {
      for (; from != end && *from && n + 1 < sizeof text; ++from)
        text[n++] = *from;
    };
    const char* old = wide;
    while (*old && __builtin_memcmp(old, "/float32", 8) != 0)
      ++old;
    append(wide, old);
    append("/", nullptr);
    append(dtypes, nullptr);
    append(*old ? old + 8 : old, nullptr);
  }
};

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
