/// First and second derivatives of the ops of this family.
#include <weir/nn.h>

#include "ops/gradient_check_test.h"

namespace weir {
namespace {

using testing_gradients::check_gradients;
using testing_gradients::Inputs;
using testing_gradients::noise;

const Ints kOne{1, 1, 1, 1}, kTwo{1, 2, 2, 1};

TEST(NnGradient, Softmax) {
  check_gradients([](const Inputs& x) { return softmax(x[0]); }, {noise({3, 4}, 1)});
  check_gradients([](const Inputs& x) { return log_softmax(x[0]); }, {noise({2, 5}, 1)});
  check_gradients([](const Inputs& x) { return softmax(x[0], 0); }, {noise({3, 2}, 1)});
}

TEST(NnGradient, CrossEntropy) {
  const Tensor labels = softmax(noise({3, 4}, 2));
  check_gradients([&](const Inputs& x) { return softmax_cross_entropy_with_logits(labels, x[0]); },
                  {noise({3, 4}, 1)});
  check_gradients(
      [](const Inputs& x) {
        return softmax_cross_entropy(x[0], Tensor{{0.3, 0.7}}).backprop;
      },
      {noise({1, 2}, 1)});
  check_gradients(
      [](const Inputs& x) {
        return softmax_cross_entropy(noise({2, 3}, 5), x[0]).loss;
      },
      {noise({2, 3}, 1)});
  check_gradients(
      [](const Inputs& x) {
        return sparse_softmax_cross_entropy_with_logits(Tensor{2, 0}, x[0]);
      },
      {noise({2, 3}, 1)});
  check_gradients(
      [](const Inputs& x) {
        return sigmoid_cross_entropy_with_logits(Tensor{0.2, 0.9}, x[0]);
      },
      {noise({2}, 1)});
}

TEST(NnGradient, BiasAndLoss) {
  check_gradients([](const Inputs& x) { return multiply(bias_add(x[0], x[1]), x[0]); },
                  {noise({2, 3}, 1), noise({3}, 2)});
  check_gradients([](const Inputs& x) { return bias_add_grad(multiply(x[0], x[0])); },
                  {noise({2, 2, 3}, 1)});
  check_gradients([](const Inputs& x) { return l2_loss(x[0]); }, {noise({2, 3}, 1)});
}

TEST(NnGradient, Convolutions) {
  const auto conv = [](const Inputs& x) { return conv2d(x[0], x[1], 2, "SAME"); };
  check_gradients(conv, {noise({2, 4, 3, 2}, 1), noise({3, 2, 2, 2}, 2)});
  const auto dilated = [](const Inputs& x) { return conv2d(x[0], x[1], 1, "SAME", {2, 1}); };
  check_gradients(dilated, {noise({1, 4, 3, 2}, 1), noise({2, 2, 1, 2}, 2)});
  const auto transposed = [](const Inputs& x) {
    return conv2d_transpose(x[0], x[1], {1, 4, 4, 2}, 2);
  };
  check_gradients(transposed, {noise({1, 2, 2, 2}, 1), noise({2, 2, 2, 2}, 2)});
  const auto filter = [](const Inputs& x) {
    return convolution_2d_filter_gradient({2, 2, 1, 2}, x[0], x[1], kOne, "SAME");
  };
  check_gradients(filter, {noise({1, 3, 3, 1}, 1), noise({1, 3, 3, 2}, 2)});
  const auto depthwise = [](const Inputs& x) { return depthwise_conv2d(x[0], x[1], 1, "SAME"); };
  check_gradients(depthwise, {noise({1, 3, 3, 2}, 1), noise({2, 2, 2, 2}, 2)});
}

TEST(NnGradient, Pooling) {
  check_gradients([](const Inputs& x) { return max_pool2d(multiply(x[0], x[0]), 2, 1); },
                  {noise({1, 4, 3, 2}, 1)});
  check_gradients([](const Inputs& x) { return avg_pool2d(multiply(x[0], x[0]), 3, 2, "SAME"); },
                  {noise({1, 4, 3, 2}, 1)});
}

TEST(NnGradient, Normalisation) {
  const auto training = [](const Inputs& x) {
    const Tensor empty = Tensor::zeros({0}, DType::float64);
    return fused_batch_norm(x[0], x[1], x[2], empty, empty).y;
  };
  check_gradients(training, {noise({2, 2, 2, 2}, 1), noise({2}, 2), noise({2}, 3)}, 1e-5);
  const auto inference = [](const Inputs& x) {
    return fused_batch_norm(
               x[0], x[1], x[2], x[3], add(square(x[4]), 0.5), 0.001, 1.0, "NHWC", false)
        .y;
  };
  check_gradients(
      inference,
      {noise({1, 2, 2, 2}, 1), noise({2}, 2), noise({2}, 3), noise({2}, 4), noise({2}, 5)},
      1e-5);
  check_gradients([](const Inputs& x) { return layer_normalization(x[0], x[1], x[2]); },
                  {noise({2, 4}, 1), noise({4}, 2), noise({4}, 3)},
                  1e-5);
  check_gradients(
      [](const Inputs& x) { return add(moments(x[0], 0).mean, moments(x[0], 0).variance); },
      {noise({4, 2}, 1)});
}

TEST(NnGradient, DropoutPassesWhatItKept) {
  const auto g = Generator::from_seed(4);
  check_gradients(
      [&](const Inputs& x) {
        g.reset(4);
        return multiply(dropout(x[0], 0.4, g), x[0]);
      },
      {noise({3, 3}, 1)});
}

}  // namespace
}  // namespace weir
