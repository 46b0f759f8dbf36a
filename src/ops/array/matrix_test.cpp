#include <weir/ops/linalg.h>

#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(MatrixDiag, PlacesAndReadsDiagonals) {
  EXPECT_EQ(list<float>(matrix_diag(Tensor{1.f, 2.f})), (Floats{1, 0, 0, 2}));
  EXPECT_EQ(matrix_diag(iota({2, 3})).shape(), (Shape{2, 3, 3}));
  EXPECT_EQ(list<float>(matrix_diag_part(iota({2, 3}))), (Floats{0, 4}));
  EXPECT_EQ(list<float>(matrix_diag_part(iota({2, 3, 2}))), (Floats{0, 3, 6, 9}));
  EXPECT_EQ(list<float>(matrix_set_diag(iota({2, 2}), Tensor{8.f, 9.f})), (Floats{8, 1, 2, 9}));
  EXPECT_TRUE(contains(error_of([] { matrix_diag(Tensor(1.f)); }), "vector"));
  EXPECT_TRUE(contains(error_of([] { matrix_diag_part(iota({2})); }), "must be matrices"));
  EXPECT_TRUE(contains(error_of([] {
                         matrix_set_diag(iota({2, 2}), iota({3}));
                       }),
                       "another shape"));
}

TEST(MatrixBandPart, KeepsTheBand) {
  EXPECT_EQ(list<float>(matrix_band_part(iota({3, 3}), 0, -1)),
            (Floats{0, 1, 2, 0, 4, 5, 0, 0, 8}));
  EXPECT_EQ(list<float>(matrix_band_part(iota({3, 3}), 1, 0)), (Floats{0, 0, 0, 3, 4, 0, 0, 7, 8}));
  EXPECT_EQ(matrix_band_part(Tensor::zeros({2, 0, 3}), 0, 0).shape(), (Shape{2, 0, 3}));
  EXPECT_TRUE(contains(error_of([] { matrix_band_part(iota({2, 2}), 3, 0); }), "more diagonals"));
}

TEST(SpaceToDepth, TradesPixelsForChannels) {
  const Tensor x = iota({1, 2, 4, 1});
  const Tensor y = space_to_depth(x, 2);
  EXPECT_EQ(y.shape(), (Shape{1, 1, 2, 4}));
  EXPECT_EQ(list<float>(y), (Floats{0, 1, 4, 5, 2, 3, 6, 7}));
  EXPECT_EQ(list<float>(depth_to_space(y, 2)), list<float>(x));
  EXPECT_EQ(list<float>(depth_to_space(space_to_depth(iota({2, 4, 6, 3}), 2), 2)),
            list<float>(iota({2, 4, 6, 3})));
  EXPECT_TRUE(contains(error_of([] {
                         space_to_depth(iota({1, 3, 2, 1}), 2);
                       }),
                       "height is not a multiple of 2"));
  EXPECT_TRUE(contains(error_of([] {
                         depth_to_space(iota({1, 1, 1, 3}), 2);
                       }),
                       "channels is not a multiple of 4"));
  EXPECT_TRUE(contains(error_of([] {
                         depth_to_space(iota({1, 1, 1, 4}), 0);
                       }),
                       "block_size out of range"));
}

TEST(MirrorPad, ReflectsOrRepeatsTheBorder) {
  EXPECT_EQ(list<float>(mirror_pad(iota({3}), {{2, 1}})), (Floats{2, 1, 0, 1, 2, 1}));
  EXPECT_EQ(list<float>(mirror_pad(iota({3}), {{2, 3}}, "SYMMETRIC")),
            (Floats{1, 0, 0, 1, 2, 2, 1, 0}));
  EXPECT_EQ(list<float>(mirror_pad(iota({2, 2}), {{1, 0}, {0, 1}})),
            (Floats{2, 3, 2, 0, 1, 0, 2, 3, 2}));
  EXPECT_TRUE(contains(error_of([] {
                         mirror_pad(iota({3}), {{3, 0}});
                       }),
                       "longer than what it mirrors"));
  EXPECT_TRUE(contains(error_of([] {
                         mirror_pad(iota({3}), {{4, 0}}, "SYMMETRIC");
                       }),
                       "longer than what it mirrors"));
  EXPECT_TRUE(contains(error_of([] {
                         mirror_pad(iota({3}), {{1, 0}}, "CIRCULAR");
                       }),
                       "unknown value"));
}

TEST(MirrorPad, GradientAddsTheBorders) {
  EXPECT_EQ(list<float>(mirror_pad_grad(Tensor{1.f, 2.f, 3.f, 4.f, 5.f, 6.f}, {{2, 1}})),
            (Floats{3, 12, 6}));
  EXPECT_TRUE(contains(error_of([] { mirror_pad_grad(iota({3}), {{2, 1}}); }), "too small"));
}

TEST(InvertPermutation, Undoes) {
  EXPECT_EQ(list<std::int32_t>(invert_permutation(Tensor{2, 0, 1})), (Ints32{1, 2, 0}));
  EXPECT_TRUE(contains(error_of([] { invert_permutation(Tensor{0, 0}); }), "0 appears twice"));
  EXPECT_TRUE(contains(error_of([] {
                         invert_permutation(Tensor{0, 2});
                       }),
                       "x[1] = 2 is not in [0, 2)"));
}

}  // namespace
}  // namespace weir
