// Pairs have the bits of their two ops, whatever is broadcast; exp those of single elements.
#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {

namespace baseline {
rt::KernelTable elementwise_arithmetic_kernels();
rt::KernelTable elementwise_functions_kernels();
rt::KernelTable elementwise_pairs_kernels();
}  // namespace baseline
namespace avx2 {
rt::KernelTable elementwise_arithmetic_kernels();
rt::KernelTable elementwise_functions_kernels();
rt::KernelTable elementwise_pairs_kernels();
}  // namespace avx2

namespace {

struct Set {
  rt::KernelTable arithmetic, functions, pairs;
};

std::vector<Set> sets() {
  std::vector<Set> sets = {{baseline::elementwise_arithmetic_kernels(),
                            baseline::elementwise_functions_kernels(),
                            baseline::elementwise_pairs_kernels()}};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2)
    sets.push_back({avx2::elementwise_arithmetic_kernels(),
                    avx2::elementwise_functions_kernels(),
                    avx2::elementwise_pairs_kernels()});
#endif
  return sets;
}

rt::TileFn find(const Set& set, const std::string& op) {
  for (const rt::KernelTable& table : {set.arithmetic, set.functions}) {
    for (std::size_t i = 0; i < table.size; ++i) {
      if (table.data[i].op == op && table.data[i].types[0] == DType::float32)
        return table.data[i].tile;
    }
  }
  throw std::out_of_range(op);
}

constexpr std::int64_t kCount = 37;
using Block = std::array<float, kCount>;

Block values(float phase) {
  Block v;
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = 3 * std::sin(phase + float(i));
  v[5] = std::numeric_limits<float>::infinity();
  v[6] = -0.0f;
  v[7] = std::numeric_limits<float>::quiet_NaN();
  return v;
}

void expect_equal(const Block& a, const Block& b, const std::string& what) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool both_nan = a[i] != a[i] && b[i] != b[i];
    EXPECT_TRUE(both_nan || std::memcmp(&a[i], &b[i], sizeof(float)) == 0)
        << what << " at " << i << ": " << a[i] << ", not " << b[i];
  }
}

void expect_pair(const Set& set, const rt::Kernel& pair) {
  const std::string name = pair.op;
  const std::size_t plus = name.find('+'), dot = name.find('.');
  const rt::TileFn first = find(set, name.substr(0, plus));
  const rt::TileFn second = find(set, name.substr(plus + 1, dot - plus - 1));
  const bool swapped = name.back() == '1';
  const Block a = values(0), b = values(1), c = values(2);
  for (int mask = 0; mask < 8; ++mask) {
    const std::uint8_t step[] = {
        std::uint8_t(mask & 1), std::uint8_t(mask >> 1 & 1), std::uint8_t(mask >> 2)};
    const std::uint8_t steps[] = {swapped ? step[2] : std::uint8_t(1),
                                  swapped ? std::uint8_t(1) : step[2]};
    Block between, expected, y;
    const void* sources[] = {a.data(), b.data(), c.data()};
    first(between.data(), sources, step, kCount, nullptr);
    const void* last[] = {swapped ? c.data() : between.data(), swapped ? between.data() : c.data()};
    second(expected.data(), last, steps, kCount, nullptr);
    pair.tile(y.data(), sources, step, kCount, nullptr);
    expect_equal(y, expected, name + " mask " + std::to_string(mask));
  }
}

TEST(Pairs, RoundAsTheirOpsDo) {
  for (const Set& set : sets()) {
    for (std::size_t i = 0; i < set.pairs.size; ++i)
      expect_pair(set, set.pairs.data[i]);
  }
}

TEST(Exp, HasTheSameBitsInLongTilesAsAlone) {
  for (const Set& set : sets()) {
    const rt::TileFn exp = find(set, "Exp");
    for (float scale : {1.0f, 60.0f}) {  // all results normal, and not
      Block x = values(0), y, alone;
      for (float& v : x)
        v = scale * (std::isfinite(v) || scale > 1 ? v : 0);
      const std::uint8_t step[] = {1};
      const void* src[] = {x.data()};
      exp(y.data(), src, step, kCount, nullptr);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const void* one[] = {&x[i]};
        exp(&alone[i], one, step, 1, nullptr);
      }
      expect_equal(y, alone, "exp");
    }
  }
}

}  // namespace
}  // namespace weir::kernels
