#include "models.h"

#include <weir/nn.h>

namespace weir::bench {

using namespace weir::keras;
using namespace weir::keras::layers;

Model mlp(bool logits) {
  const Symbol input = Input({28, 28});
  Symbol x = Flatten()(input);
  for (int i = 0; i < 3; ++i)
    x = Dense(256, "relu")(x);
  return Model(input, Dense(10, logits ? "" : "softmax")(x));
}

Model cnn(bool logits) {
  const Symbol input = Input({28, 28, 1});
  const PoolOptions same{.padding = "same"};
  Symbol x = Conv2D(32, 3, {.padding = "same", .activation = "relu"})(input);
  x = MaxPooling2D({2, 2}, same)(x);
  x = Conv2D(64, 3, {.padding = "same", .activation = "relu"})(x);
  x = MaxPooling2D({2, 2}, same)(x);
  x = Dense(128, "relu")(Flatten()(x));
  return Model(input, Dense(10, logits ? "" : "softmax")(x));
}

double mlp_flops(int batch) {
  return 2.0 * batch * (784 * 256 + 2 * 256 * 256 + 256 * 10);
}
double mlp_training_flops(int batch) {
  return 3 * mlp_flops(batch) - 2.0 * batch * 784 * 256;
}
double cnn_flops(int batch) {
  return 2.0 * batch * (28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 64 + 7 * 7 * 64 * 128 + 128 * 10);
}
double cnn_training_flops(int batch) {
  return 3 * cnn_flops(batch) - 2.0 * batch * 28 * 28 * 9 * 32;
}

Tensor TrainingStep::operator()(const Tensor& x, const Tensor& labels) const {
  const std::vector<Variable> weights = model_.trainable_weights();
  GradientTape tape;
  const Tensor loss = mean(sparse_softmax_cross_entropy_with_logits(labels, model_(x, true)));
  const std::vector<Tensor> gradients = tape.gradient(loss, weights);
  std::vector<std::pair<Tensor, Variable>> pairs;
  for (std::size_t i = 0; i < weights.size(); ++i)
    pairs.emplace_back(gradients[i], weights[i]);
  sgd_.apply_gradients(pairs);
  return loss;
}

Tensor tanh_gelu(const Tensor& x) {
  return 0.5f * x * (1 + tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
}

}  // namespace weir::bench
