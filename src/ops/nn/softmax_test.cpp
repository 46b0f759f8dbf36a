#include <gtest/gtest.h>
#include <weir/ops.h>

#include <cmath>
#include <limits>

namespace weir {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

void expect_near(const Tensor& t, const std::vector<float>& expected, float tolerance = 1e-6f) {
  const auto values = t.data<float>();
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], tolerance) << "at " << i;
}

TEST(Softmax, IsStableForLargeLogits) {
  const Tensor x{{1e4f, -1e4f}, {0.f, -kInf}, {-1e4f, -1e4f}};
  expect_near(softmax(x), {1, 0, 1, 0, 0.5f, 0.5f});
  const Tensor y = log_softmax(Tensor{{1e4f, -1e4f}, {-1e4f, -1e4f}});
  expect_near(y, {0, -20000, -0.6931472f, -0.6931472f});
}

TEST(Softmax, RowOfMinusInfinityIsNan) {
  const Tensor y = softmax(Tensor{{-kInf, -kInf}, {1.f, 1.f}});
  EXPECT_TRUE(std::isnan(y.data<float>()[0]));
  EXPECT_EQ(y.data<float>()[2], 0.5f);
}

TEST(Softmax, KeepsTheShapeAndRefusesScalars) {
  EXPECT_EQ(softmax(Tensor::zeros({2, 3, 4})).shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(softmax(Tensor::zeros({0, 3})).size(), 0);
  EXPECT_EQ(softmax(Tensor::zeros({2, 0})).size(), 0);
  EXPECT_THROW(softmax(Tensor(1.f)), Error);
  EXPECT_THROW(softmax(Tensor{1, 2}), Error);
}

TEST(CrossEntropy, MatchesTensorFlow) {
  const Tensor x{{1.f, 2.f, 3.f}, {0.5f, -1.f, 4.f}};
  const auto dense = softmax_cross_entropy(x, Tensor{{0.2f, 0.3f, 0.5f}, {0.f, 1.f, 0.f}});
  expect_near(dense.loss, {1.1076059f, 5.0362697f});
  expect_near(dense.backprop,
              {-0.10996943f, -0.055271536f, 0.16524094f, 0.029121762f, -0.9935021f, 0.9643803f});
  const auto sparse = sparse_softmax_cross_entropy(x, Tensor{2, 1});
  expect_near(sparse.loss, {0.40760595f, 5.0362697f});
  expect_near(sparse.backprop,
              {0.09003057f, 0.24472848f, -0.33475906f, 0.029121762f, -0.9935021f, 0.9643803f});
}

Tensor noise(const Shape& shape) {
  return multiply(stateless_normal(shape, Tensor{3, 4}), 8);
}

void expect_close(const Tensor& fast, const Tensor& exact) {
  const auto a = fast.data<float>();
  const auto b = exact.data<double>();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-6 + 1e-6 * std::abs(b[i])) << "at " << i;
}

TEST(SoftmaxKernel, AgreesWithFloat64) {
  for (std::int64_t n : {1, 7, 10, 16, 33, 300, 1000}) {
    const Tensor x = noise({9, n}), wide = cast(x, DType::float64),
                 labels = softmax(multiply(x, 0.5));
    expect_close(softmax(x), softmax(wide));
    expect_close(log_softmax(x), log_softmax(wide));
    const auto fast = softmax_cross_entropy(x, labels),
               exact = softmax_cross_entropy(wide, cast(labels, DType::float64));
    expect_close(fast.loss, exact.loss);
    expect_close(fast.backprop, exact.backprop);
    const Tensor truth = Tensor::full(Shape{9}, std::int32_t(n - 1));
    expect_close(sparse_softmax_cross_entropy(x, truth).loss,
                 sparse_softmax_cross_entropy(wide, truth).loss);
    expect_close(sparse_softmax_cross_entropy(x, truth).backprop,
                 sparse_softmax_cross_entropy(wide, truth).backprop);
  }
}

TEST(CrossEntropy, NoClassesOrNoRows) {
  expect_near(softmax_cross_entropy(Tensor::zeros({2, 0}), Tensor::zeros({2, 0})).loss, {0, 0});
  EXPECT_EQ(softmax_cross_entropy(Tensor::zeros({0, 3}), Tensor::zeros({0, 3})).loss.size(), 0);
  EXPECT_THROW(sparse_softmax_cross_entropy(Tensor::zeros({2, 0}), Tensor{0, 0}), Error);
}

TEST(CrossEntropy, ClassOfNoProbabilityCostsNothingWhereTheLabelIsZero) {
  const auto r = softmax_cross_entropy(Tensor{{0.f, -kInf}}, Tensor{{1.f, 0.f}});
  expect_near(r.loss, {0});
}

TEST(CrossEntropy, LabelOutOfRangeNamesIt) {
  for (int label : {-1, 3}) {
    try {
      sparse_softmax_cross_entropy(Tensor::zeros({2, 3}), Tensor{0, label});
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::invalid_argument);
      EXPECT_NE(e.info().what.find("labels[1] = " + std::to_string(label)), std::string::npos)
          << e.what();
    }
  }
}

TEST(CrossEntropy, ShapesThatDoNotFitAreErrors) {
  EXPECT_THROW(softmax_cross_entropy(Tensor::zeros({2, 3}), Tensor::zeros({2})), Error);
  EXPECT_THROW(softmax_cross_entropy(Tensor::zeros({2, 3}), Tensor::zeros({2, 4})), Error);
  EXPECT_THROW(sparse_softmax_cross_entropy(Tensor::zeros({2, 3}), Tensor{1, 2, 0}), Error);
  EXPECT_THROW(sparse_softmax_cross_entropy(Tensor::zeros({2, 3, 4}), Tensor{1, 2}), Error);
}

TEST(BiasAdd, AddsAlongTheLastAxis) {
  expect_near(bias_add(Tensor{{1.f, 2.f}, {3.f, 4.f}}, Tensor{10.f, 20.f}), {11, 22, 13, 24});
  EXPECT_THROW(bias_add(Tensor::zeros({2, 3}), Tensor::zeros({2})), Error);
  EXPECT_THROW(bias_add(Tensor::zeros({2, 3}), Tensor::zeros({1, 3})), Error);
  expect_near(bias_add_grad(Tensor{{{1.f, 2.f}}, {{3.f, 4.f}}}), {4, 6});
}

TEST(L2Loss, IsHalfTheSumOfSquares) {
  EXPECT_EQ(l2_loss(Tensor{{1.f, 2.f}, {3.f, 4.f}}).item<float>(), 15);
}

}  // namespace
}  // namespace weir
