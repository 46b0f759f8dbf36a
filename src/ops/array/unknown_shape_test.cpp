/// What is inferred, and differentiated, while dimensions are not known.
#include <weir/gradient_tape.h>
#include <weir/graph.h>
#include <weir/operators.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>

#include "ops/array/array_test.h"

namespace weir {
namespace {

class UnknownShape : public testing::Test {
 protected:
  Graph g;
  Tensor x = g.placeholder(DType::float32, {-1, 3}, "x");
  Tensor n = g.placeholder(DType::int32, Shape{}, "n");

  static std::string shape_of(const Tensor& t) { return t.shape().to_string(); }
};

TEST_F(UnknownShape, KnownDimensionsAreKept) {
  EXPECT_EQ(shape_of(transpose(x)), "[3, ?]");
  EXPECT_EQ(shape_of(expand_dims(x, 1)), "[?, 1, 3]");
  EXPECT_EQ(shape_of(concat({x, x}, 1)), "[?, 6]");
  EXPECT_EQ(shape_of(concat({x, Tensor::zeros({2, 3})}, 0)), "[?, 3]");
  EXPECT_EQ(shape_of(concat({x, Tensor::zeros({2, 1})}, 1)), "[2, 4]");
  EXPECT_EQ(shape_of(stack({x, x}, 1)), "[?, 2, 3]");
  EXPECT_EQ(shape_of(split(x, 3, 1)[0]), "[?, 1]");
  EXPECT_EQ(shape_of(pad(x, {{0, 0}, {1, 1}})), "[?, 5]");
  EXPECT_EQ(shape_of(tile(x, {1, 2})), "[?, 6]");
  EXPECT_EQ(shape_of(slice(x, {0, 1}, {-1, 2})), "[?, 2]");
  EXPECT_EQ(shape_of(x[{Slice{}, 0}]), "[?]");
  EXPECT_EQ(shape_of(x[{Slice{0, 2}, Slice{1}}]), "[?, 2]");
  EXPECT_EQ(shape_of(gather(x, Tensor{0, 1}, 1)), "[?, 2]");
  EXPECT_EQ(shape_of(one_hot(cast(x, DType::int32), 5)), "[?, 3, 5]");
  EXPECT_EQ(shape_of(where(x)), "[?, 2]");
  EXPECT_EQ(shape_of(shape(x)), "[2]");
  EXPECT_EQ(shape_of(top_k(x, 2).values), "[?, 2]");
  EXPECT_EQ(shape_of(matrix_diag_part(x)), "[?]");
  EXPECT_EQ(shape_of(ensure_shape(x, {4, -1})), "[4, 3]");
  EXPECT_EQ(shape_of(reverse(x, {0})), "[?, 3]");
}

TEST_F(UnknownShape, StaticOperandsMayBeTensors) {
  EXPECT_EQ(shape_of(fill(shape(x), 1.f)), "[?, ?]");
  EXPECT_EQ(shape_of(range(n)), "[?]");
  EXPECT_EQ(shape_of(one_hot(Tensor{0, 1}, n)), "[2, ?]");
  EXPECT_EQ(shape_of(gather(x, Tensor{{0, 1}}, n)), "[?, ?, ?]");
  EXPECT_EQ(shape_of(concat({x, x}, n)), "[?, ?]");
  EXPECT_EQ(shape_of(expand_dims(x, n)), "[?, ?, ?]");
  EXPECT_EQ(shape_of(unsorted_segment_sum(x, reshape(n, {1}), n)), "[?, 3]");
  EXPECT_EQ(shape_of(slice(x, {0, 0}, shape(x))), "[?, ?]");
}

TEST_F(UnknownShape, WhatCannotFitFailsWhileTracing) {
  EXPECT_TRUE(contains(error_of([&] {
                         concat({x, Tensor::zeros({2, 4})}, 0);
                       }),
                       "other than the axis differ"));
  EXPECT_TRUE(contains(error_of([&] { transpose(x, {0, 1, 2}); }), "perm is no permutation"));
  EXPECT_TRUE(contains(error_of([&] { x[{0, 3}]; }), "index out of range"));
  EXPECT_TRUE(contains(error_of([&] { unstack(x); }), "not known"));
  EXPECT_TRUE(contains(error_of([&] { split(x, 2, 1); }), "does not divide"));
}

/// The gradient of sum(f(x)^2) for an x of unknown length, run on a value, is what it is eagerly.
void expect_same_gradient(const char* name, Tensor (*f)(const Tensor&)) {
  SCOPED_TRACE(name);
  const auto slope = [f](const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = f(x);
    return tape.gradient(sum(y * y), x);
  };
  const Tensor value = iota({4, 3});
  Graph g;
  const Tensor x = g.placeholder(DType::float32, {-1, 3}, "x");
  Tensor dx;
  {
    auto scope = g.as_default();
    dx = slope(x);
  }
  EXPECT_EQ(list<float>(Session(g).run({{x, value}}, dx)), list<float>(slope(value)));
}

TEST(UnknownShapeGradient, EqualsTheEagerOne) {
  expect_same_gradient("concat", [](const Tensor& x) {
    return concat({x, x * 2, Tensor::ones({1, 3})}, 0);
  });
  expect_same_gradient("slice", [](const Tensor& x) { return slice(x, {1, 0}, {-1, 2}); });
  expect_same_gradient("index", [](const Tensor& x) { return x[{Slice{1, -1}, 0}]; });
  expect_same_gradient("pad", [](const Tensor& x) { return pad(x, {{1, 2}, {0, 1}}); });
  expect_same_gradient("tile", [](const Tensor& x) { return tile(x, {2, 2}); });
  expect_same_gradient("gather rows", [](const Tensor& x) { return gather(x, Tensor{3, 1, 3}); });
  expect_same_gradient("gather columns", [](const Tensor& x) {
    return gather(x, Tensor{2, 0, 2}, 1);
  });
  expect_same_gradient("gather_nd", [](const Tensor& x) {
    return gather_nd(x, Tensor{{3, 1}, {0, 0}});
  });
  expect_same_gradient("top_k", [](const Tensor& x) { return top_k(x, 2).values; });
  expect_same_gradient("expand_dims", [](const Tensor& x) { return expand_dims(x, 1); });
  expect_same_gradient("transpose", [](const Tensor& x) { return transpose(x); });
}

}  // namespace
}  // namespace weir
