#include <gtest/gtest.h>
#include <weir/keras/optimizers.h>

#include <cmath>

namespace weir::keras {
namespace {

/// The value of one weight of 1 after `steps` steps with gradient 0.5, then -0.25, 0.5 ...
double run(const Optimizer& optimizer, int steps) {
  Variable w(Tensor(1.f), "w");
  for (int i = 0; i < steps; ++i)
    optimizer.apply_gradients({{Tensor(i % 2 ? -0.25f : 0.5f), w}});
  return w.value().item<double>();
}

TEST(Optimizers, SGD) {
  EXPECT_NEAR(run(optimizers::SGD(0.1), 1), 1 - 0.05, 1e-6);
  // v1 = -0.05; v2 = 0.9 * -0.05 + 0.025
  EXPECT_NEAR(
      run(optimizers::SGD({.learning_rate = 0.1, .momentum = 0.9}), 2), 1 - 0.05 - 0.02, 1e-6);
  EXPECT_NEAR(run(optimizers::SGD({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}), 1),
              1 - 0.9 * 0.05 - 0.05,
              1e-6);
}

TEST(Optimizers, AdamFollowsThePaper) {
  double w = 1, m = 0, v = 0;
  for (int t = 1; t <= 5; ++t) {
    const double g = t % 2 ? 0.5 : -0.25;
    m += (g - m) * 0.1;
    v += (g * g - v) * 0.001;
    w -= m * (0.001 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t))) /
         (std::sqrt(v) + 1e-7);
  }
  EXPECT_NEAR(run("adam", 5), w, 1e-6);
}

TEST(Optimizers, RMSprop) {
  double w = 1, v = 0;
  for (int t = 1; t <= 3; ++t) {
    const double g = t % 2 ? 0.5 : -0.25;
    v = 0.9 * v + 0.1 * g * g;
    w -= 0.001 * g / std::sqrt(v + 1e-7);
  }
  EXPECT_NEAR(run("rmsprop", 3), w, 1e-6);
}

TEST(Optimizers, SlotsOfAVariableThatIsGoneAreNotAnothers) {
  Optimizer adam = optimizers::Adam(0.1);
  for (std::int64_t n = 1; n <= 20; ++n) {  // one address after the other, reused if it can be
    Variable w(Tensor::ones({Dim(n)}), "w");
    adam.apply_gradients({{Tensor::ones({Dim(n)}), w}});
    EXPECT_EQ(w.shape(), (Shape{n}));
  }
}

TEST(Optimizers, CountStepsAndRefuseNothing) {
  Optimizer sgd = optimizers::SGD(0.1);
  Variable w(Tensor(1.f), "w");
  EXPECT_THROW(sgd.apply_gradients({{Tensor(), w}}), Error);
  sgd.apply_gradients({{Tensor(1.f), w}});
  EXPECT_EQ(sgd.iterations().value().item<int>(), 1);
  sgd.learning_rate().assign(Tensor(0.f));
  sgd.apply_gradients({{Tensor(1.f), w}});
  EXPECT_FLOAT_EQ(w.value().item<float>(), 0.9f);
}

}  // namespace
}  // namespace weir::keras
