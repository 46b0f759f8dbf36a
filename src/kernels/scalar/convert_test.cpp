#include "kernels/scalar/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace weir::kernels {
namespace {

// A float format by its definition: `fraction` bits of fraction, exponents from `lowest` on.
double decode(uint16_t bits, int exponent_bits, int fraction_bits) {
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = bits >> 15 != 0 ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) return fraction != 0 ? NAN : sign * INFINITY;
  const int hidden = exponent != 0 ? 1 << fraction_bits : 0;
  return sign * std::ldexp(hidden + fraction, std::max(exponent, 1) - bias - fraction_bits);
}

// Nearest value of the format, ties to even, in double arithmetic: |x| is scaled to an integer.
double round_to_format(double x, int fraction_bits, int lowest_exponent, double overflow) {
  if (std::isnan(x) || x == 0) return x;
  const int exponent = std::max(std::ilogb(x), lowest_exponent);
  const double unit = std::ldexp(1.0, exponent - fraction_bits);
  const double rounded = std::nearbyint(x / unit) * unit;
  return std::fabs(rounded) >= overflow ? std::copysign(INFINITY, x) : rounded;
}

void expect_same(float got, double exact, uint32_t input) {
  if (std::isnan(exact)) {
    EXPECT_TRUE(std::isnan(got)) << std::hex << input;
    return;
  }
  ASSERT_EQ(got, exact) << std::hex << input;
  ASSERT_EQ(std::signbit(got), std::signbit(exact)) << std::hex << input;
}

TEST(Convert, EveryHalfIsExact) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    expect_same(weir_f32_from_f16(half), decode(half, 5, 10), bits);
    expect_same(weir_f32_from_bf16(half), decode(half, 8, 7), bits);
  }
}

TEST(Convert, EveryHalfSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if (!std::isnan(weir_f32_from_f16(half))) {
      ASSERT_EQ(weir_f16_from_f32(weir_f32_from_f16(half)), half);
    }
    if (!std::isnan(weir_f32_from_bf16(half))) {
      ASSERT_EQ(weir_bf16_from_f32(weir_f32_from_bf16(half)), half);
    }
  }
}

void expect_nearest(uint32_t bits) {
  const float x = weir_f32_bits(bits);
  expect_same(weir_f32_from_f16(weir_f16_from_f32(x)), round_to_format(x, 10, -14, 65536.0), bits);
  expect_same(
      weir_f32_from_bf16(weir_bf16_from_f32(x)), round_to_format(x, 7, -126, 0x1p128), bits);
}

TEST(Convert, RoundsToNearestEven) {
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4099) {
    expect_nearest(static_cast<uint32_t>(bits));
  }
}

TEST(Convert, TiesAndTheirNeighbours) {
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    const uint32_t low = weir_bits_f32(weir_f32_from_f16(static_cast<uint16_t>(half)));
    const float tie = 0.5f * (weir_f32_from_f16(static_cast<uint16_t>(half)) +
                              weir_f32_from_f16(static_cast<uint16_t>(half + 1)));
    const uint32_t middle = std::isinf(tie) ? low + 0x1000u : weir_bits_f32(tie);
    for (uint32_t bits : {low, middle - 1, middle, middle + 1})
      expect_nearest(bits);
  }
  for (uint32_t high = 0; high < 0x7f80; ++high) {
    for (uint32_t low : {0x7fffu, 0x8000u, 0x8001u})
      expect_nearest(high << 16 | low);
  }
}

}  // namespace
}  // namespace weir::kernels
