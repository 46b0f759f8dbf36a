#include <gtest/gtest.h>
#include <weir/keras.h>

#include <cmath>

namespace weir::keras {
namespace {

double value(const Loss& loss, const Tensor& t, const Tensor& p) {
  return loss(t, p).item<double>();
}

TEST(Losses, SparseCategoricalCrossentropy) {
  const Tensor p{{0.1f, 0.9f}, {0.8f, 0.2f}};
  const double expected = -(std::log(0.9) + std::log(0.8)) / 2;
  EXPECT_NEAR(value("sparse_categorical_crossentropy", Tensor{1, 0}, p), expected, 1e-6);
  EXPECT_NEAR(value("sparse_categorical_crossentropy", Tensor{{1}, {0}}, p), expected, 1e-6);
  EXPECT_NEAR(value("categorical_crossentropy", Tensor{{0.f, 1.f}, {1.f, 0.f}}, p), expected, 1e-6);
  EXPECT_NEAR(value(losses::SparseCategoricalCrossentropy(true), Tensor{1}, Tensor{{0.f, 0.f}}),
              std::log(2.0),
              1e-6);
}

TEST(Losses, ALabelOutOfRangeIsAnError) {
  EXPECT_THROW(value("sparse_categorical_crossentropy", Tensor{2}, Tensor{{0.5f, 0.5f}}), Error);
}

TEST(Losses, BinaryCrossentropyIsTheSameFromLogits) {
  const Tensor x{{2.f}, {-1.f}}, t{{1.f}, {0.f}};
  const auto s = [](double v) { return 1 / (1 + std::exp(-v)); };
  const Tensor p{{float(s(2))}, {float(s(-1))}};
  EXPECT_NEAR(
      value(losses::BinaryCrossentropy(true), t, x), value("binary_crossentropy", t, p), 1e-6);
  EXPECT_TRUE(std::isfinite(value(losses::BinaryCrossentropy(true), t, Tensor{{1e4f}, {-1e4f}})));
}

TEST(Losses, MeanErrors) {
  const Tensor t{{1.f, 2.f}}, p{{2.f, 4.f}};
  EXPECT_FLOAT_EQ(float(value("mse", t, p)), 2.5f);
  EXPECT_FLOAT_EQ(float(value("mae", t, p)), 1.5f);
  EXPECT_THROW(value("mse", Tensor{1.f}, p), Error);
}

TEST(Metrics, AccuracyFitsTheShapes) {
  const Metric accuracy("accuracy");
  const Tensor p{{0.1f, 0.9f}, {0.8f, 0.2f}, {0.3f, 0.7f}};
  EXPECT_NEAR(accuracy(Tensor{1, 0, 0}, p).item<double>(), 2.0 / 3, 1e-6);
  EXPECT_NEAR(accuracy(Tensor{{0.f, 1.f}, {1.f, 0.f}, {0.f, 1.f}}, p).item<double>(), 1, 1e-6);
  EXPECT_NEAR(accuracy(Tensor{{1.f}, {0.f}}, Tensor{{0.7f}, {0.6f}}).item<double>(), 0.5, 1e-6);
}

TEST(Names, UnknownOnesAreErrors) {
  EXPECT_THROW(Loss("mean_square"), Error);
  EXPECT_THROW(Metric("precission"), Error);
  EXPECT_THROW(Optimizer("adamm"), Error);
}

}  // namespace
}  // namespace weir::keras
