#include <weir/functions.h>
#include <weir/keras/losses.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

#include <map>

#include "keras/error.h"
#include "keras/half.h"

namespace weir::inline v0::keras {
namespace {

/// Probabilities are kept this far from 0 and 1 before their logarithm is taken, as in Keras.
constexpr double kEpsilon = 1e-7;

Tensor safe_log(const Tensor& p) {
  return log(clip_by_value(p, kEpsilon, 1 - kEpsilon));
}

Tensor as_logits(const Tensor& y_pred, bool from_logits) {
  return from_logits ? y_pred : safe_log(y_pred);
}

/// Labels [n] or [n, 1], of any integer or floating dtype, as int64 [n].
Tensor class_labels(const Tensor& y_true) {
  const Tensor flat = y_true.rank() == 1 ? y_true : reshape(y_true, {-1});
  return flat.dtype() == DType::int64 || flat.dtype() == DType::int32 ? flat
                                                                      : cast(flat, DType::int64);
}

Tensor like(const Tensor& y_true, const Tensor& y_pred) {
  return y_true.dtype() == y_pred.dtype() ? y_true : cast(y_true, y_pred.dtype());
}

/// The mean over all axes but the first.
Tensor per_sample(const Tensor& values) {
  std::vector<std::int64_t> axes;
  for (int i = 1; i < values.rank(); ++i)
    axes.push_back(i);
  return axes.empty() ? values : mean(values, axes);
}

void check_same_shape(const Tensor& y_true, const Tensor& y_pred, const char* loss) {
  if (y_true.rank() == y_pred.rank()) return;
  throw_argument(std::string(loss) + ": y_true and y_pred have different ranks",
                 y_true.describe() + " and " + y_pred.describe(),
                 "the same shape",
                 "reshape y_true");
}

}  // namespace

Tensor Loss::operator()(const Tensor& y_true, const Tensor& y_pred) const {
  return mean(per_sample_(y_true, at_least_float32(y_pred)));
}

namespace losses {

Loss SparseCategoricalCrossentropy(bool from_logits) {
  return Loss(
      "sparse_categorical_crossentropy", [from_logits](const Tensor& y_true, const Tensor& y_pred) {
        return sparse_softmax_cross_entropy(as_logits(y_pred, from_logits), class_labels(y_true))
            .loss;
      });
}

Loss CategoricalCrossentropy(bool from_logits, double label_smoothing) {
  return Loss("categorical_crossentropy",
              [from_logits, label_smoothing](const Tensor& y_true, const Tensor& y_pred) {
                check_same_shape(y_true, y_pred, "categorical_crossentropy");
                Tensor target = like(y_true, y_pred);
                if (label_smoothing > 0)
                  target =
                      target * (1 - label_smoothing) + label_smoothing / double(y_pred.dim(-1));
                return softmax_cross_entropy(as_logits(y_pred, from_logits), target).loss;
              });
}

Loss BinaryCrossentropy(bool from_logits) {
  return Loss("binary_crossentropy", [from_logits](const Tensor& y_true, const Tensor& y_pred) {
    check_same_shape(y_true, y_pred, "binary_crossentropy");
    const Tensor t = like(y_true, y_pred);
    // max(x, 0) - x t + log(1 + exp(-|x|)) neither overflows nor loses small values.
    if (from_logits) return per_sample(relu(y_pred) - y_pred * t + log1p(exp(-abs(y_pred))));
    return per_sample(-(t * safe_log(y_pred) + (1 - t) * safe_log(1 - y_pred)));
  });
}

Loss MeanSquaredError() {
  return Loss("mean_squared_error", [](const Tensor& y_true, const Tensor& y_pred) {
    check_same_shape(y_true, y_pred, "mean_squared_error");
    return per_sample(squared_difference(y_pred, like(y_true, y_pred)));
  });
}

Loss MeanAbsoluteError() {
  return Loss("mean_absolute_error", [](const Tensor& y_true, const Tensor& y_pred) {
    check_same_shape(y_true, y_pred, "mean_absolute_error");
    return per_sample(abs(y_pred - like(y_true, y_pred)));
  });
}

}  // namespace losses

Loss::Loss(const std::string& name) {
  static const std::map<std::string, Loss (*)()> table{
      {"sparse_categorical_crossentropy", [] { return losses::SparseCategoricalCrossentropy(); }},
      {"categorical_crossentropy", [] { return losses::CategoricalCrossentropy(); }},
      {"binary_crossentropy", [] { return losses::BinaryCrossentropy(); }},
      {"mean_squared_error", [] { return losses::MeanSquaredError(); }},
      {"mse", [] { return losses::MeanSquaredError(); }},
      {"mean_absolute_error", [] { return losses::MeanAbsoluteError(); }},
      {"mae", [] { return losses::MeanAbsoluteError(); }},
  };
  const auto it = table.find(name);
  if (it == table.end()) throw_unknown("loss", name, table);
  *this = it->second();
}

}  // namespace weir::inline v0::keras
