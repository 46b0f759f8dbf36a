#include <cmath>
#include <complex>

#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(Fill, RepeatsAScalar) {
  EXPECT_EQ(list<float>(fill({2, 2}, 3.f)), (Floats{3, 3, 3, 3}));
  EXPECT_EQ(texts(fill(2, Tensor("hi"))), (Texts{"hi", "hi"}));
  EXPECT_EQ(fill({}, 3).rank(), 0);
  EXPECT_EQ(fill({2, 0}, 3).shape(), (Shape{2, 0}));
  EXPECT_EQ(fill(Tensor{2, 3}, 1).shape(), (Shape{2, 3}));
  EXPECT_TRUE(contains(error_of([] { fill({-1}, 3); }), "negative"));
  EXPECT_TRUE(contains(error_of([] { fill({2}, Tensor{1, 2}); }), "must be a scalar"));
  EXPECT_TRUE(contains(error_of([] {
                         fill({std::int64_t(1) << 40, std::int64_t(1) << 40}, 0);
                       }),
                       "too large"));
}

TEST(Fill, ZerosAndOnes) {
  EXPECT_EQ(list<float>(zeros({2})), (Floats{0, 0}));
  EXPECT_EQ(list<float>(ones({2})), (Floats{1, 1}));
  EXPECT_EQ(list<bool>(ones_like(Tensor{true, false})), (std::vector<bool>{true, true}));
  EXPECT_EQ(ones_like(Tensor{float16{0}}).data<float16>()[0].bits, 0x3c00);
  EXPECT_EQ(texts(zeros_like(Tensor{"a", "b"})), (Texts{"", ""}));
  EXPECT_EQ(ones_like(Tensor{std::complex<float>(2, 3)}).data<std::complex<float>>()[0],
            std::complex<float>(1, 0));
}

TEST(Range, CountsLikeNumPy) {
  EXPECT_EQ(list<std::int32_t>(range(5)), (Ints32{0, 1, 2, 3, 4}));
  EXPECT_EQ(list<std::int32_t>(range(2, 5)), (Ints32{2, 3, 4}));
  EXPECT_EQ(list<std::int32_t>(range(5, 0, -2)), (Ints32{5, 3, 1}));
  EXPECT_EQ(list<float>(range(0.f, 1.f, 0.25f)), (Floats{0, 0.25, 0.5, 0.75}));
  EXPECT_EQ(range(Tensor(std::int64_t(3))).dtype(), DType::int64);
  EXPECT_EQ(range(3, 3).shape(), (Shape{0}));
  EXPECT_EQ(list<std::int64_t>(range(Tensor(INT64_MIN), Tensor(INT64_MAX), Tensor(INT64_MAX))),
            (Ints64{INT64_MIN, -1, INT64_MAX - 1}));
}

TEST(Range, RefusesWhatNeverEnds) {
  EXPECT_TRUE(contains(error_of([] { range(0, 5, 0); }), "delta must not be 0"));
  EXPECT_TRUE(
      contains(error_of([] { range(0, 5, -1); }), "delta is negative but start is below limit"));
  EXPECT_TRUE(
      contains(error_of([] { range(5, 0, 1); }), "delta is positive but start is above limit"));
  EXPECT_TRUE(contains(error_of([] { range(0.f, 1e30f, 1e-10f); }), "more than 2^63"));
  EXPECT_TRUE(contains(error_of([] { range(0.f, NAN, 1.f); }), "not a number"));
  EXPECT_TRUE(contains(error_of([] { range(Tensor{1, 2}); }), "must be a scalar"));
}

TEST(LinSpace, IncludesBothEnds) {
  EXPECT_EQ(list<float>(linspace(0.f, 1.f, 5)), (Floats{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(list<float>(linspace(3.f, 1.f, 1)), (Floats{3}));
  EXPECT_TRUE(contains(error_of([] { linspace(0.f, 1.f, 0); }), "num must be positive"));
}

TEST(OneHot, MarksTheIndex) {
  EXPECT_EQ(list<float>(one_hot(Tensor{0, 2}, 3)), (Floats{1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(list<float>(one_hot(Tensor{0, 2}, 3, DType::float32, 0)), (Floats{1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(list<std::int32_t>(one_hot(Tensor{{0, 1}}, 2, 5, -1, 1)), (Ints32{5, -1, -1, 5}));
  EXPECT_EQ(one_hot(Tensor{{0, 1}}, 4, DType::float32, 1).shape(), (Shape{1, 4, 2}));
}

TEST(OneHot, IndexOutsideIsAllOff) {
  EXPECT_EQ(list<float>(one_hot(Tensor{-1, 3}, 3)), (Floats{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(one_hot(Tensor{0, 1}, 0).shape(), (Shape{2, 0}));
  EXPECT_TRUE(contains(error_of([] { one_hot(Tensor{0}, -1); }), "depth is negative"));
  EXPECT_TRUE(
      contains(error_of([] { one_hot(Tensor{0}, 2, DType::float32, 2); }), "axis out of range"));
}

TEST(ShapeOps, SayTheShape) {
  const Tensor x = Tensor::zeros({2, 0, 3});
  EXPECT_EQ(list<std::int32_t>(shape(x)), (Ints32{2, 0, 3}));
  EXPECT_EQ(list<std::int64_t>(shape(x, DType::int64)), (Ints64{2, 0, 3}));
  EXPECT_EQ(size(x).item<int>(), 0);
  EXPECT_EQ(rank(x).item<int>(), 3);
  EXPECT_EQ(shape(Tensor(1.f)).shape(), (Shape{0}));
}

TEST(ExpandDims, AddsAnAxis) {
  EXPECT_EQ(expand_dims(iota({2, 3}), 0).shape(), (Shape{1, 2, 3}));
  EXPECT_EQ(expand_dims(iota({2, 3}), -1).shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(expand_dims(iota({2, 3}), -3).shape(), (Shape{1, 2, 3}));
  EXPECT_TRUE(contains(error_of([] { expand_dims(iota({2}), 2); }), "axis out of range"));
  Tensor deep = Tensor(1.f);
  for (int i = 0; i < 254; ++i)
    deep = expand_dims(deep, 0);
  EXPECT_TRUE(contains(error_of([&] { expand_dims(deep, 0); }), "too many dimensions"));
}

TEST(Squeeze, DropsLengthOne) {
  EXPECT_EQ(squeeze(Tensor::zeros({1, 2, 1})).shape(), (Shape{2}));
  EXPECT_EQ(squeeze(Tensor::zeros({1, 2, 1}), {-1}).shape(), (Shape{1, 2}));
  EXPECT_TRUE(contains(error_of([] {
                         squeeze(Tensor::zeros({1, 2}), {1});
                       }),
                       "only an axis of length 1"));
}

TEST(EnsureShape, ChecksWhatIsNamed) {
  EXPECT_EQ(ensure_shape(iota({2, 3}), {-1, 3}).shape(), (Shape{2, 3}));
  EXPECT_TRUE(contains(error_of([] { ensure_shape(iota({2, 3}), {2, 4}); }), "another shape"));
  EXPECT_TRUE(contains(error_of([] { ensure_shape(iota({2, 3}), {6}); }), "another rank"));
}

TEST(Bitcast, ReadsTheSameBytes) {
  EXPECT_EQ(list<std::int32_t>(bitcast(Tensor{1.f}, DType::int32)), (Ints32{0x3f800000}));
  EXPECT_EQ(bitcast(Tensor{1.f, 2.f}, DType::uint8).shape(), (Shape{2, 4}));
  EXPECT_EQ(bitcast(Tensor::zeros({3, 4}, DType::uint8), DType::float32).shape(), (Shape{3}));
  EXPECT_TRUE(contains(error_of([] { bitcast(Tensor::zeros({3}, DType::uint8), DType::float32); }),
                       "whole elements"));
}

}  // namespace
}  // namespace weir
