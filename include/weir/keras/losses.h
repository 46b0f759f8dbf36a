/// Losses: one number for a batch, the mean over its samples.
#pragma once

#include <weir/callable.h>
#include <weir/tensor.h>

#include <string>

namespace weir::inline v0::keras {

/// A handle. From a name, or one of the makers in `losses`, or a function (y_true, y_pred) -> loss
/// of each sample.
class Loss {
 public:
  using Function = Callable<Tensor(const Tensor& y_true, const Tensor& y_pred)>;
  Loss() = default;
  /// "mse", "mean_absolute_error", "sparse_categorical_crossentropy" ... Error: an unknown name.
  Loss(const char* name) : Loss(std::string(name)) {}
  Loss(const std::string& name);
  Loss(std::string name, Function per_sample)
      : name_(std::move(name)), per_sample_(std::move(per_sample)) {}

  bool defined() const { return bool(per_sample_); }
  const std::string& name() const { return name_; }
  /// The mean over all samples: a scalar.
  Tensor operator()(const Tensor& y_true, const Tensor& y_pred) const;

 private:
  std::string name_;
  Function per_sample_;
};

namespace losses {

/// y_true: classes as integers [n]; y_pred [n, classes]: probabilities, or logits.
/// Errors: a label outside [0, classes) when the value is computed.
Loss SparseCategoricalCrossentropy(bool from_logits = false);
/// y_true: one-hot or probabilities [n, classes].
Loss CategoricalCrossentropy(bool from_logits = false, double label_smoothing = 0);
/// y_true of 0 and 1, of the shape of y_pred.
Loss BinaryCrossentropy(bool from_logits = false);
Loss MeanSquaredError();
Loss MeanAbsoluteError();

}  // namespace losses
}  // namespace weir::inline v0::keras
