#include <complex>

#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(Transpose, ReversesAxesByDefault) {
  const Tensor t = transpose(iota({2, 3}));
  EXPECT_EQ(t.shape(), (Shape{3, 2}));
  EXPECT_EQ(list<float>(t), (Floats{0, 3, 1, 4, 2, 5}));
}

TEST(Transpose, PermutesAxesOfAnyElementSize) {
  const Tensor t = transpose(iota<std::int8_t>({2, 3, 2}), {1, 2, 0});
  EXPECT_EQ(t.shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(list<std::int8_t>(t), (std::vector<std::int8_t>{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}));
  const Tensor z = transpose(Tensor{{std::complex<double>(1, 2), std::complex<double>(3, 4)},
                                    {std::complex<double>(5, 6), std::complex<double>(7, 8)}});
  EXPECT_EQ(z.data<std::complex<double>>()[1], std::complex<double>(5, 6));
}

TEST(Transpose, MovesStringsAndKeepsThemAlive) {
  Tensor t;
  {
    const Tensor s =
        Tensor::strings({"a", "b", "c", "a long string that is nowhere inline"}, {2, 2});
    t = transpose(s);
  }
  EXPECT_EQ(texts(t), (Texts{"a", "c", "b", "a long string that is nowhere inline"}));
}

TEST(Transpose, SharesMemoryWhereNothingMoves) {
  const Tensor x = Tensor::zeros({1, 50, 1, 4});
  EXPECT_EQ(transpose(x, {1, 0, 3, 2}).raw_data(), x.raw_data());
  EXPECT_NE(transpose(x, {3, 0, 1, 2}).raw_data(), x.raw_data());
}

TEST(Transpose, EmptyAndScalar) {
  EXPECT_EQ(transpose(Tensor::zeros({2, 0, 3})).shape(), (Shape{3, 0, 2}));
  EXPECT_EQ(transpose(Tensor(1.f)).rank(), 0);
}

TEST(Transpose, RefusesWhatIsNoPermutation) {
  const Tensor x = Tensor::zeros({2, 3});
  EXPECT_TRUE(contains(error_of([&] { transpose(x, {0, 0}); }), "perm is no permutation"));
  EXPECT_TRUE(contains(error_of([&] { transpose(x, {0}); }), "perm is no permutation"));
  EXPECT_TRUE(contains(error_of([&] { transpose(x, {0, 2}); }), "each of 0 .. 1 once"));
}

TEST(Reverse, TurnsTheNamedAxes) {
  EXPECT_EQ(list<float>(reverse(iota({2, 3}), {1})), (Floats{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(list<float>(reverse(iota({2, 3}), {0, -1})), (Floats{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(list<float>(reverse(iota({2}), std::vector<std::int64_t>{})), (Floats{0, 1}));
  EXPECT_TRUE(contains(error_of([] { reverse(iota({2, 3}), {1, -1}); }), "named twice"));
  EXPECT_TRUE(contains(error_of([] { reverse(iota({2, 3}), {2}); }), "axis out of range"));
}

TEST(Roll, MovesAroundTheEnds) {
  EXPECT_EQ(list<float>(roll(iota({5}), 2, 0)), (Floats{3, 4, 0, 1, 2}));
  EXPECT_EQ(list<float>(roll(iota({5}), -7, 0)), (Floats{2, 3, 4, 0, 1}));
  EXPECT_EQ(list<float>(roll(iota({2, 3}), {1, 1}, {0, 1})), (Floats{5, 3, 4, 2, 0, 1}));
  EXPECT_EQ(list<float>(roll(iota({2, 3}), {1, 1}, {1, 1})), (Floats{1, 2, 0, 4, 5, 3}));
  EXPECT_EQ(roll(Tensor::zeros({0, 3}), 1, 0).shape(), (Shape{0, 3}));
  EXPECT_TRUE(contains(error_of([] { roll(iota({5}), {1, 2}, {0}); }), "differ in length"));
}

TEST(SwapAxes, ExchangesTwo) {
  EXPECT_EQ(swapaxes(Tensor::zeros({2, 3, 4}), 0, -1).shape(), (Shape{4, 3, 2}));
  EXPECT_TRUE(contains(error_of([] { swapaxes(iota({2, 3}), 0, 2); }), "axis out of range"));
}

TEST(Tile, Repeats) {
  EXPECT_EQ(list<float>(tile(iota({2, 2}), {2, 1})), (Floats{0, 1, 2, 3, 0, 1, 2, 3}));
  EXPECT_EQ(list<float>(tile(iota({2, 2}), {1, 2})), (Floats{0, 1, 0, 1, 2, 3, 2, 3}));
  EXPECT_EQ(tile(iota({2, 2}), {0, 3}).shape(), (Shape{0, 6}));
  EXPECT_EQ(texts(tile(Tensor{"x", "y"}, 2)), (Texts{"x", "y", "x", "y"}));
  EXPECT_TRUE(contains(error_of([] { tile(iota({2, 2}), {2}); }), "one entry per axis"));
  EXPECT_TRUE(contains(error_of([] { tile(iota({2}), {-1}); }), "negative"));
  EXPECT_TRUE(contains(error_of([] { tile(iota({8}), {std::int64_t(1) << 61}); }), "too large"));
}

TEST(BroadcastTo, RepeatsLengthOne) {
  EXPECT_EQ(list<float>(broadcast_to(iota({3}), {2, 3})), (Floats{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(list<float>(broadcast_to(iota({2, 1}), {2, 3})), (Floats{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(broadcast_to(iota({1}), {0}).shape(), (Shape{0}));
  EXPECT_TRUE(contains(error_of([] { broadcast_to(iota({2, 3}), {3}); }), "does not broadcast"));
  EXPECT_TRUE(contains(error_of([] { broadcast_to(iota({3}), {1}); }), "does not broadcast"));
}

}  // namespace
}  // namespace weir
