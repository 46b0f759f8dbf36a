/// Metrics: numbers that are reported, not minimised. A metric gives one value per sample; fit and
/// evaluate show the mean.
#pragma once

#include <weir/callable.h>
#include <weir/tensor.h>

#include <string>

namespace weir::inline v0::keras {

class Metric {
 public:
  using Function = Callable<Tensor(const Tensor& y_true, const Tensor& y_pred)>;
  /// "accuracy" (the form that fits the shapes), "mse", "mae", "binary_accuracy" ... Error: an
  /// unknown name.
  Metric(const char* name) : Metric(std::string(name)) {}
  Metric(const std::string& name);
  Metric(std::string name, Function per_sample)
      : name_(std::move(name)), per_sample_(std::move(per_sample)) {}
  const std::string& name() const { return name_; }
  /// The mean over all samples: a float32 scalar.
  Tensor operator()(const Tensor& y_true, const Tensor& y_pred) const;

 private:
  std::string name_;
  Function per_sample_;
};

namespace metrics {

Metric SparseCategoricalAccuracy();
Metric CategoricalAccuracy();
Metric BinaryAccuracy(double threshold = 0.5);
Metric MeanSquaredError();
Metric MeanAbsoluteError();

}  // namespace metrics
}  // namespace weir::inline v0::keras
