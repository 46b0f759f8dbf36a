#include "runtime/tile_program.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace weir::rt {
namespace {

template <class F>
void binary(void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, F f) {
  const auto *a = static_cast<const float*>(src[0]), *b = static_cast<const float*>(src[1]);
  for (std::int64_t i = 0; i < n; ++i)
    static_cast<float*>(dst)[i] = f(a[i * step[0]], b[i * step[1]]);
}
void add(void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const Attr*) {
  binary(dst, src, step, n, [](float a, float b) { return a + b; });
}
void multiply(
    void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const Attr*) {
  binary(dst, src, step, n, [](float a, float b) { return a * b; });
}

TileOp op(TileFn fn, std::uint8_t target, std::uint8_t a, std::uint8_t b) {
  TileOp o;
  o.fn = fn;
  o.type = DType::float32;
  o.sources = 2;
  o.target = target;
  o.source[0] = a;
  o.source[1] = b;
  return o;
}

using Dims = std::vector<std::int64_t>;

struct Array {
  explicit Array(Dims d, float first = 0) : dims(std::move(d)) {
    std::int64_t n = 1;
    for (std::int64_t x : dims)
      n *= x;
    for (std::int64_t i = 0; i < n; ++i)
      data.push_back(first + float(i % 97) / 8);
  }
  View view() { return {data.data(), dims.data(), DType::float32, std::uint8_t(dims.size())}; }
  /// Element of this array that belongs to element `index` of `out`.
  float at(std::int64_t index, const Dims& out) const {
    std::int64_t offset = 0, step = 1;
    for (std::size_t back = 1; back <= out.size(); ++back) {
      const std::int64_t i = index % out[out.size() - back];
      index /= out[out.size() - back];
      if (back > dims.size()) continue;
      const std::int64_t d = dims[dims.size() - back];
      offset += d == 1 ? 0 : i * step;
      step *= d;
    }
    return data[std::size_t(offset)];
  }
  Dims dims;
  std::vector<float> data;
};

/// t = a * b, y = t + c, z = t * t over a result of `out`.
void check(Array a, Array b, Array c, const Dims& out) {
  Array y(out), z(out);
  std::array ops{op(multiply, 5, 0, 1), op(add, 3, 5, 2), op(multiply, 4, 5, 5)};
  const View in[] = {a.view(), b.view(), c.view()}, results[] = {y.view(), z.view()};
  std::vector<std::uint64_t> memory(tile_program_bytes(3, 2, 3, int(out.size())) / 8);
  const TileProgram* p = bind_tiles(ops, in, results, memory.data());
  KernelCall call{
      .in = in, .out = results, .n_in = 3, .n_out = 2, .state = const_cast<TileProgram*>(p)};
  ASSERT_TRUE(run_tiles(call).ok());
  for (std::int64_t i = 0; i < std::int64_t(y.data.size()); ++i) {
    const float t = a.at(i, out) * b.at(i, out);
    ASSERT_EQ(y.data[std::size_t(i)], t + c.at(i, out)) << i;
    ASSERT_EQ(z.data[std::size_t(i)], t * t) << i;
  }
}

TEST(TileProgram, EqualShapes) {
  check(Array({5, 7}), Array({5, 7}, 1), Array({5, 7}, 2), {5, 7});
}
TEST(TileProgram, LongRows) {
  check(Array({100000}), Array({100000}, 1), Array({1}, 2), {100000});
}
TEST(TileProgram, Rows) {
  check(Array({300, 40}), Array({40}, 1), Array({300, 1}, 2), {300, 40});
}
TEST(TileProgram, LongRowsOfSeveral) {
  check(Array({3, 20000}), Array({20000}, 1), Array({3, 1}), {3, 20000});
}
TEST(TileProgram, ManyAxes) {
  check(Array({4, 1, 6, 1}), Array({5, 1, 3}, 1), Array({4, 5, 6, 3}), {4, 5, 6, 3});
}
TEST(TileProgram, OneElement) {
  check(Array({1, 1}), Array({}), Array({1}, 3), {1, 1});
}
TEST(TileProgram, Empty) {
  check(Array({0, 4}), Array({4}), Array({1}), {0, 4});
}
TEST(TileProgram, OnlyScalarsMeet) {
  check(Array({}), Array({1}), Array({50, 3}), {50, 3});
}

TEST(TileProgram, EndsAContraction) {
  // c (already in y) + bias, times a column, by blocks of 2 x 3.
  Array y({5, 9}, 1), bias({9}, 2), column({5, 1}, 3), residual({5, 9}, 4);
  const Array before = y;
  std::array ops{op(add, 5, 4, 1), op(multiply, 5, 5, 2), op(add, 4, 5, 3)};
  const View in[] = {View{}, bias.view(), column.view(), residual.view()}, out[] = {y.view()};
  std::vector<std::uint64_t> memory(tile_program_bytes(4, 1, 3, 2) / 8);
  TileEpilogue e{bind_tiles(ops, in, out, memory.data(), 1), in, out};
  for (std::int64_t row = 0; row < 5; row += 2) {
    for (std::int64_t col = 0; col < 9; col += 3)
      run_tile_epilogue(&e, y.data.data() + row * 9 + col, row, row + 2 > 5 ? 1 : 2, col, 3, 9);
  }
  for (std::size_t i = 0; i < 45; ++i)
    ASSERT_EQ(y.data[i],
              (before.data[i] + bias.data[i % 9]) * column.data[i / 9] + residual.data[i])
        << i;
}

TEST(TileProgram, RunsInSlices) {
  static int slices;
  slices = 0;
  Array a({200000}), y({200000});
  std::array ops{op(add, 1, 0, 0)};
  const View in[] = {a.view()}, out[] = {y.view()};
  std::vector<std::uint64_t> memory(tile_program_bytes(1, 1, 1, 1) / 8);
  RunContext context{
      .parallel_for = [](void*, std::int64_t n, void (*fn)(void*, std::int64_t), void* arg) {
        for (std::int64_t i = n; i-- > 0; ++slices)
          fn(arg, i);
      }};
  KernelCall call{.in = in,
                  .out = out,
                  .n_in = 1,
                  .n_out = 1,
                  .state = const_cast<TileProgram*>(bind_tiles(ops, in, out, memory.data())),
                  .context = &context};
  ASSERT_TRUE(run_tile(call).ok());
  EXPECT_GT(slices, 4);
  for (std::size_t i = 0; i < 200000; ++i)
    ASSERT_EQ(y.data[i], 2 * a.data[i]);
}

}  // namespace
}  // namespace weir::rt
