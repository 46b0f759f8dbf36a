#include <cmath>

#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(Gather, PicksRows) {
  EXPECT_EQ(list<float>(gather(iota({3, 2}), Tensor{2, 0, 2})), (Floats{4, 5, 0, 1, 4, 5}));
  EXPECT_EQ(gather(iota({3, 2}), Tensor{{0, 1}, {2, 0}}).shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(list<float>(gather(iota({3, 2}), Tensor(1))), (Floats{2, 3}));
  EXPECT_EQ(texts(gather(Tensor{"a", "b"}, Tensor{1, 1})), (Texts{"b", "b"}));
  EXPECT_EQ(gather(iota({3, 2}), Tensor::zeros({0}, DType::int64)).shape(), (Shape{0, 2}));
}

TEST(Gather, AlongAnAxisAndWithBatchDims) {
  EXPECT_EQ(list<float>(gather(iota({2, 3}), Tensor{2, 0}, 1)), (Floats{2, 0, 5, 3}));
  const Tensor batched = gather(iota({2, 3}), Tensor{{2}, {0}}, 1, 1);
  EXPECT_EQ(batched.shape(), (Shape{2, 1}));
  EXPECT_EQ(list<float>(batched), (Floats{2, 3}));
  EXPECT_EQ(gather(iota({2, 3, 4}), Tensor{{2, 1}, {0, 0}}, -1, -1).shape(), (Shape{2, 3, 2}));
}

TEST(Gather, IndexOutOfRangeNamesPositionValueAndBound) {
  EXPECT_TRUE(contains(error_of([] {
                         gather(iota({2, 2}), Tensor{{7, 0}});
                       }),
                       "indices[0,0] = 7 is not in [0, 2)"));
  EXPECT_TRUE(contains(error_of([] {
                         gather(iota({2, 2}), Tensor{0, -1});
                       }),
                       "indices[1] = -1 is not in [0, 2)"));
  EXPECT_TRUE(contains(error_of([] {
                         gather(Tensor::zeros({0, 2}), Tensor(0));
                       }),
                       "indices = 0 is not in [0, 0)"));
}

TEST(Gather, RefusesBatchDimsThatDoNotFit) {
  EXPECT_TRUE(contains(error_of([] {
                         gather(iota({2, 3}), Tensor{0}, 1, 2);
                       }),
                       "batch_dims out of range"));
  EXPECT_TRUE(contains(error_of([] {
                         gather(iota({2, 3}), Tensor{{0}}, 0, 1);
                       }),
                       "batch_dims is larger than axis"));
  EXPECT_TRUE(contains(error_of([] {
                         gather(iota({2, 3}), Tensor{{0}, {1}, {2}}, 1, 1);
                       }),
                       "batch dimensions differ"));
  EXPECT_TRUE(contains(error_of([] { gather(iota({2, 3}), Tensor{0}, 2); }), "axis out of range"));
}

TEST(GatherNd, PicksAtCoordinates) {
  EXPECT_EQ(list<float>(gather_nd(iota({2, 3}), Tensor{{1, 2}, {0, 0}})), (Floats{5, 0}));
  EXPECT_EQ(list<float>(gather_nd(iota({2, 3}), Tensor{{1}})), (Floats{3, 4, 5}));
  EXPECT_TRUE(contains(error_of([] {
                         gather_nd(iota({2, 3}), Tensor{{1, 3}});
                       }),
                       "indices[0,1] = 3 is not in [0, 3)"));
  EXPECT_TRUE(contains(error_of([] {
                         gather_nd(iota({2}), Tensor{{0, 0}});
                       }),
                       "more coordinates than axes"));
}

TEST(Where, GivesCoordinatesInRowMajorOrder) {
  const Tensor w = where(Tensor{{true, false}, {false, true}, {true, true}});
  EXPECT_EQ(w.dtype(), DType::int64);
  EXPECT_EQ(w.shape(), (Shape{4, 2}));
  EXPECT_EQ(list<std::int64_t>(w), (Ints64{0, 0, 1, 1, 2, 0, 2, 1}));
}

TEST(Where, OfNothingIsEmpty) {
  EXPECT_EQ(where(Tensor{false, false}).shape(), (Shape{0, 1}));
  EXPECT_EQ(where(Tensor::zeros({0, 3}, DType::boolean)).shape(), (Shape{0, 2}));
  EXPECT_EQ(where(Tensor(true)).shape(), (Shape{1, 0}));
  EXPECT_EQ(list<std::int64_t>(where(Tensor{0.f, -0.f, 2.f, NAN})), (Ints64{2, 3}));
}

TEST(BooleanMask, KeepsWhereTrue) {
  EXPECT_EQ(list<float>(boolean_mask(iota({3, 2}), Tensor{true, false, true})),
            (Floats{0, 1, 4, 5}));
  EXPECT_EQ(list<float>(boolean_mask(iota({2, 2}), Tensor{{true, false}, {false, true}})),
            (Floats{0, 3}));
  EXPECT_EQ(list<float>(boolean_mask(iota({2, 3}), Tensor{true, false, true}, 1)),
            (Floats{0, 2, 3, 5}));
  EXPECT_TRUE(contains(error_of([] { boolean_mask(iota({3}), Tensor{true}); }), "another shape"));
}

TEST(MeshGrid, GivesCoordinates) {
  const auto xy = meshgrid({iota({3}), iota({2})});
  EXPECT_EQ(xy[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(list<float>(xy[0]), (Floats{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(list<float>(xy[1]), (Floats{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(meshgrid({iota({3}), iota({2})}, "ij")[0].shape(), (Shape{3, 2}));
}

}  // namespace
}  // namespace weir
