#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/nn.h>
#include <weir/ops.h>

#include <cmath>

namespace weir {
namespace {

Tensor pattern(const Shape& shape) {
  std::vector<float> v;
  for (std::int64_t i = 0; i < shape.size(); ++i)
    v.push_back(float(i * 5 % 7 - 3));
  return Tensor::from(v, shape);
}

void expect_near(const Tensor& t, const std::vector<float>& expected, float tolerance = 2e-6f) {
  const auto values = t.data<float>();
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << "at " << i;
}

/// Expected numbers were printed by TensorFlow 2.21 unless they are plain.
TEST(Functions, SoftmaxOfAnotherAxis) {
  expect_near(softmax(pattern({2, 3, 2}), 1),
              {0.002355633f,
               0.7213991f,
               0.04731415f,
               0.01321289f,
               0.9503301f,
               0.2653879f,
               0.04661262f,
               0.002355633f,
               0.9362395f,
               0.04731416f,
               0.01714783f,
               0.9503303f});
  EXPECT_THROW(softmax(pattern({2, 3}), 2), Error);
  EXPECT_THROW(log_softmax(pattern({2, 3}), -3), Error);
}

TEST(Functions, CrossEntropyOfAnyRank) {
  const Tensor x = pattern({2, 2, 3});
  const Tensor labels = Tensor{{2, 0}, {1, 1}};
  const Tensor sparse = sparse_softmax_cross_entropy_with_logits(labels, x);
  EXPECT_EQ(sparse.shape(), (Shape{2, 2}));
  const Tensor dense = softmax_cross_entropy_with_logits(one_hot(labels, 3), x);
  expect_near(dense, {sparse.data<float>().begin(), sparse.data<float>().end()});
  EXPECT_EQ(softmax_cross_entropy_with_logits(Tensor{0.f, 1.f}, Tensor{1.f, 1.f}).rank(), 0);
  EXPECT_THROW(softmax_cross_entropy_with_logits(labels, x), Error);
  EXPECT_THROW(sparse_softmax_cross_entropy_with_logits(x, x), Error);
}

TEST(Functions, SigmoidCrossEntropyIsStable) {
  expect_near(
      sigmoid_cross_entropy_with_logits(Tensor{0.f, 1.f, 0.5f}, Tensor{100.f, -100.f, 0.3f}),
      {100, 100, 0.7043552f});
  expect_near(sigmoid_cross_entropy_with_logits(1, Tensor{1e4f}), {0});
}

TEST(Functions, SizesMayBeShort) {
  const Tensor x = pattern({1, 4, 4, 1});
  const Tensor a = max_pool2d(x, 2, 2), b = max_pool2d(x, {2, 2}, {1, 2, 2, 1});
  expect_near(a, {b.data<float>().begin(), b.data<float>().end()});
  EXPECT_THROW(max_pool2d(x, {1, 2, 3}, 1), Error);
  EXPECT_THROW(conv2d(x, pattern({2, 2, 1, 1}), 0), Error);
}

TEST(BatchNorm, TrainingMatchesTensorFlow) {
  const Tensor x = pattern({2, 2, 2, 2}), scale{1.f, 2.f}, offset{0.5f, -0.5f},
               none = Tensor::zeros({0});
  const auto r = fused_batch_norm(x, scale, offset, none, none, 0.001);
  expect_near(r.y,
              {-0.7394526f,
               1.26361f,
               0.6770647f,
               -2.767499f,
               2.093582f,
               0.255833f,
               0.2048922f,
               -3.775276f,
               1.62141f,
               -0.7519443f,
               -0.2672802f,
               2.271388f,
               1.149237f,
               -1.759722f,
               -0.7394526f,
               1.26361f});
  expect_near(r.batch_mean, {-0.375f, 0.25f});
  expect_near(r.batch_variance, {5.125f, 4.5f});         // unbiased
  expect_near(r.reserve_space_2, {4.484375f, 3.9375f});  // biased
  const auto mixed =
      fused_batch_norm(x, scale, offset, Tensor{1.f, 2.f}, Tensor{3.f, 4.f}, 0.001, 0.9);
  expect_near(mixed.batch_mean, {-0.2375f, 0.425f});
  expect_near(mixed.batch_variance, {4.9125f, 4.45f});
}

TEST(BatchNorm, InferenceMatchesTensorFlow) {
  const Tensor x = pattern({2, 2, 2, 2});
  const auto r = fused_batch_norm(x,
                                  Tensor{1.f, 2.f},
                                  Tensor{0.5f, -0.5f},
                                  Tensor{1.f, 2.f},
                                  Tensor{3.f, 4.f},
                                  0.001,
                                  1.0,
                                  "NHWC",
                                  false);
  expect_near(r.y,
              {-1.809016f,
               -0.5f,
               -0.07725412f,
               -4.4995f,
               1.654508f,
               -1.499875f,
               -0.6545082f,
               -5.499375f,
               1.077254f,
               -2.49975f,
               -1.231762f,
               0.4998751f,
               0.5f,
               -3.499625f,
               -1.809016f,
               -0.5f});
  expect_near(r.batch_mean, {1, 2});
  expect_near(batch_normalization(
                  x, Tensor{1.f, 2.f}, Tensor{3.f, 4.f}, Tensor{0.5f, -0.5f}, Tensor{1.f, 2.f}),
              {r.y.data<float>().begin(), r.y.data<float>().end()});
}

TEST(BatchNorm, ShapesThatDoNotFitAreErrors) {
  const Tensor two{1.f, 2.f}, none = Tensor::zeros({0});
  EXPECT_THROW(fused_batch_norm(pattern({2, 2, 2, 3}), two, two, none, none), Error);
  EXPECT_THROW(fused_batch_norm(pattern({2, 2}), two, two, none, none), Error);
  EXPECT_THROW(
      fused_batch_norm(pattern({2, 2, 2, 2}), two, two, none, none, 0.001, 1.0, "NHWC", false),
      Error);
}

TEST(LayerNorm, MatchesTensorFlow) {
  expect_near(layer_normalization(pattern({2, 3}), 1, 0),
              {-1.297618f, 1.135415f, 0.1622022f, -1.297618f, 1.135416f, 0.1622022f},
              1e-5f);
}

TEST(Moments, KeepAxesOrNot) {
  const Tensor x{{1.f, 2.f}, {3.f, 6.f}};
  expect_near(moments(x, 0).mean, {2, 4});
  expect_near(moments(x, 0).variance, {1, 4});
  EXPECT_EQ(moments(x, 0, true).mean.shape(), (Shape{1, 2}));
  expect_near(moments(x).mean, {3});
}

TEST(Dropout, KeepsTheExpectation) {
  const Tensor y = dropout(Tensor::ones({10000}), 0.25, Generator::from_seed(1));
  int kept = 0;
  for (float v : y.data<float>()) {
    ASSERT_TRUE(v == 0 || std::abs(v - 4 / 3.f) < 1e-6f);
    kept += v != 0;
  }
  EXPECT_NEAR(kept, 7500, 150);
  EXPECT_EQ(dropout(Tensor{1.f}, 0).item<float>(), 1);
  EXPECT_THROW(dropout(Tensor{1.f}, 1), Error);
  EXPECT_THROW(dropout(Tensor{1.f}, NAN), Error);
  EXPECT_THROW(dropout(Tensor{1}, 0.5), Error);
}

TEST(InTopK, MatchesTensorFlow) {
  const Tensor p{{0.1f, 0.5f, 0.4f}, {0.3f, 0.3f, 0.4f}, {1.f, INFINITY, 0.f}};
  const Tensor r = in_top_k(p, Tensor{2, 0, 0}, 2);
  EXPECT_TRUE(r.data<bool>()[0]);
  EXPECT_TRUE(r.data<bool>()[1]);
  EXPECT_FALSE(r.data<bool>()[2]);
  EXPECT_FALSE(in_top_k(p, Tensor{3, -1, 0}, 3).data<bool>()[0]);
  EXPECT_THROW(in_top_k(p, Tensor{0, 1}, 1), Error);
}

}  // namespace
}  // namespace weir
