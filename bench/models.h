#pragma once

/// The models that are measured, here and in the comparison with other frameworks.

#include <weir/weir.h>

namespace weir::bench {

/// The tutorials' program: 784 -> 3 x 256 relu -> 10, with softmax unless `logits`.
keras::Model mlp(bool logits = false);
/// [28, 28, 1] -> conv 3x3x32, pool, conv 3x3x64, pool (SAME), dense 128, dense 10.
keras::Model cnn(bool logits = false);

/// Floating-point operations of one forward pass on `batch` samples; of a training step: forward,
/// and twice as much backward, less the gradient of the first layer's input.
double mlp_flops(int batch);
double mlp_training_flops(int batch);
double cnn_flops(int batch);
double cnn_training_flops(int batch);

/// One step of gradient descent on sparse cross-entropy; returns the loss.
class TrainingStep {
 public:
  explicit TrainingStep(keras::Model logits, double rate = 0.01)
      : model_(std::move(logits)), sgd_(rate) {}
  Tensor operator()(const Tensor& x, const Tensor& labels) const;

 private:
  keras::Model model_;
  keras::optimizers::SGD sgd_;
};

/// tanh(sqrt(2 / pi) (x + 0.044715 x^3)) and so on, written with plain ops.
Tensor tanh_gelu(const Tensor& x);

}  // namespace weir::bench
