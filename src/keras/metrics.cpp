#include <weir/keras/losses.h>
#include <weir/keras/metrics.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <map>

#include "keras/error.h"
#include "keras/half.h"

namespace weir::inline v0::keras {
namespace {

Tensor matches(const Tensor& a, const Tensor& b) {
  return cast(equal(a, b), DType::float32);
}

Tensor sparse_accuracy(const Tensor& y_true, const Tensor& y_pred) {
  return matches(cast(reshape(y_true, {-1}), DType::int64), reshape(argmax(y_pred, -1), {-1}));
}
Tensor categorical_accuracy(const Tensor& y_true, const Tensor& y_pred) {
  return matches(argmax(y_true, -1), argmax(y_pred, -1));
}
Tensor binary_accuracy(const Tensor& y_true, const Tensor& y_pred, double threshold) {
  const Tensor truth = cast(y_true, DType::float32) > 0.5f;
  return matches(reshape(truth, {-1}),
                 reshape(cast(y_pred, DType::float32) > float(threshold), {-1}));
}

/// Keras's rule for "accuracy": one output or equal last dimensions of 1 are binary, equal shapes
/// are one-hot, else labels.
Tensor any_accuracy(const Tensor& y_true, const Tensor& y_pred) {
  if (y_pred.dim(-1) == 1) return binary_accuracy(y_true, y_pred, 0.5);
  if (y_true.rank() == y_pred.rank() && y_true.dim(-1) == y_pred.dim(-1))
    return categorical_accuracy(y_true, y_pred);
  return sparse_accuracy(y_true, y_pred);
}

Metric of_loss(const Loss& loss) {
  return Metric(loss.name(), [loss](const Tensor& y_true, const Tensor& y_pred) {
    return loss(y_true, y_pred);
  });
}

}  // namespace

Tensor Metric::operator()(const Tensor& y_true, const Tensor& y_pred) const {
  return cast(mean(per_sample_(y_true, at_least_float32(y_pred))), DType::float32);
}

namespace metrics {

Metric SparseCategoricalAccuracy() {
  return Metric("sparse_categorical_accuracy", sparse_accuracy);
}
Metric CategoricalAccuracy() {
  return Metric("categorical_accuracy", categorical_accuracy);
}
Metric BinaryAccuracy(double threshold) {
  return Metric("binary_accuracy", [threshold](const Tensor& t, const Tensor& p) {
    return binary_accuracy(t, p, threshold);
  });
}
Metric MeanSquaredError() {
  return of_loss(losses::MeanSquaredError());
}
Metric MeanAbsoluteError() {
  return of_loss(losses::MeanAbsoluteError());
}

}  // namespace metrics

Metric::Metric(const std::string& name) {
  static const std::map<std::string, Metric (*)()> table{
      {"accuracy", [] { return Metric("accuracy", any_accuracy); }},
      {"acc", [] { return Metric("acc", any_accuracy); }},
      {"sparse_categorical_accuracy", metrics::SparseCategoricalAccuracy},
      {"categorical_accuracy", metrics::CategoricalAccuracy},
      {"binary_accuracy", [] { return metrics::BinaryAccuracy(); }},
      {"mean_squared_error", metrics::MeanSquaredError},
      {"mse", metrics::MeanSquaredError},
      {"mean_absolute_error", metrics::MeanAbsoluteError},
      {"mae", metrics::MeanAbsoluteError},
  };
  const auto it = table.find(name);
  if (it == table.end()) throw_unknown("metric", name, table);
  *this = it->second();
  name_ = name;
}

}  // namespace weir::inline v0::keras
