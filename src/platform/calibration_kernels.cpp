// Compiled once per instruction set; WEIR_ISA names the set. Enough independent accumulators to
// hide the latency of a fused multiply-add (4 cycles, two a cycle): 24 where there are 32
// registers.

#include "platform/calibration_kernels.h"

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif

namespace weir::platform::WEIR_ISA {
namespace {

#if defined(__AVX512F__)
using Vector = __m512;
constexpr int kAccumulators = 24;
Vector fill(float value) {
  return _mm512_set1_ps(value);
}
Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm512_fmadd_ps(a, b, c);
}
#elif defined(__FMA__)
using Vector = __m256;
constexpr int kAccumulators = 12;
Vector fill(float value) {
  return _mm256_set1_ps(value);
}
Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm256_fmadd_ps(a, b, c);
}
#else
using Vector = float __attribute__((vector_size(16)));
constexpr int kAccumulators = 12;
Vector fill(float value) {
  return Vector{} + value;
}
Vector multiply_add(Vector a, Vector b, Vector c) {
  return a * b + c;
}
#endif
constexpr int kLanes = sizeof(Vector) / sizeof(float);

float run_multiply_add(std::int64_t rounds) {
  Vector sums[kAccumulators];
  for (int i = 0; i < kAccumulators; ++i) {
    sums[i] = fill(static_cast<float>(i));
  }
  const Vector factor = fill(0.5F);
  const Vector term = fill(1.0F);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (Vector& sum : sums) {
      sum = multiply_add(sum, factor, term);
    }
  }
  float total = 0;
  for (const Vector& sum : sums) {
    total += sum[0];
  }
  return total;
}

std::uint64_t run_read(const void* data, std::size_t bytes) {
  using Words = std::uint64_t __attribute__((vector_size(sizeof(Vector)), may_alias));
  const auto* words = static_cast<const Words*>(data);
  Words sums[4] = {};
  for (std::size_t i = 0; i < bytes / sizeof(Words); i += 4) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) {
      sums[k] += words[i + k];
    }
  }
  const Words sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return sum[0];
}

}  // namespace

CalibrationKernels calibration_kernels() {
  return {run_multiply_add, 2.0 * kLanes * kAccumulators, run_read};
}

}  // namespace weir::platform::WEIR_ISA
