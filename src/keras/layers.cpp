#include <weir/autocast.h>
#include <weir/functions.h>
#include <weir/keras/layers.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/random.h>

#include <algorithm>

#include "keras/error.h"
#include "keras/half.h"

namespace weir::inline v0::keras::layers {
namespace {

using ActivationFunction = Callable<Tensor(Tensor)>;

/// A layer without weights: a function of its input.
class Stateless : public LayerBase {
 public:
  using Function = Callable<Tensor(const Tensor&, bool training)>;
  Stateless(std::string type, Function function)
      : type_(std::move(type)), function_(std::move(function)) {}
  Tensor call(const Tensor& x, bool training) override { return function_(x, training); }
  std::string type() const override { return type_; }

 private:
  std::string type_;
  Function function_;
};

Layer stateless(std::string type, Stateless::Function function) {
  return make_layer<Stateless>(std::move(type), std::move(function));
}

std::string upper(const std::string& padding, const char* layer) {
  if (padding == "same") return "SAME";
  if (padding == "valid") return "VALID";
  throw_argument(
      std::string(layer) + ": unknown padding", "'" + padding + "'", "'same' or 'valid'");
}

/// The last dimension, which must be known to make a kernel.
std::int64_t channels(const LayerBase& layer, const Shape& input, int rank) {
  const bool ok = input.has_rank() && (rank < 0 ? input.rank() >= 1 : input.rank() == rank);
  if (!ok || !input[input.rank() - 1].known())
    throw_argument("layer '" + layer.name + "': cannot build for this input",
                   input.to_string(),
                   rank < 0 ? "a known last dimension"
                            : "rank " + std::to_string(rank) + " with a known last dimension");
  return input[input.rank() - 1].value();
}

/// `y` in the shape of the first `count` dimensions of `x`, then `rest`, which may hold one -1.
Tensor reshape_like(const Tensor& y,
                    const Tensor& x,
                    int count,
                    const std::vector<std::int64_t>& rest) {
  std::vector<std::int64_t> dims = x.shape().to_vector();
  dims.resize(std::size_t(count), -1);
  dims.insert(dims.end(), rest.begin(), rest.end());
  if (std::count(dims.begin(), dims.end(), -1) <= 1) return reshape(y, dims);
  const Tensor own = slice(shape(x, DType::int64), {0}, {count});
  return ensure_shape(reshape(y, concat(std::vector{own, Tensor::from(rest)}, 0)), dims);
}

/// Elements of a sample; -1: unknown.
std::int64_t sample_size(const Tensor& x) {
  if (!x.shape().has_rank()) return -1;
  std::int64_t n = 1;
  for (int i = 1; i < x.rank(); ++i)
    n = n < 0 || x.dim(i) < 0 ? -1 : n * x.dim(i);
  return n;
}

/// `target` without its -1, if what samples of n elements leave for it is known.
std::vector<std::int64_t> resolved(std::vector<std::int64_t> target, std::int64_t n) {
  const auto open = std::find(target.begin(), target.end(), -1);
  if (open == target.end() || n < 0) return target;
  std::int64_t others = 1;
  for (auto it = target.begin(); it != target.end(); ++it)
    others *= it == open ? 1 : *it;
  if (others > 0 && n % others == 0) *open = n / others;
  return target;
}

class DenseLayer : public LayerBase {
 public:
  DenseLayer(std::int64_t units, const std::string& activation, DenseOptions options)
      : units_(units), activation_(get_activation(activation)), options_(std::move(options)) {
    if (units < 1) throw_argument("Dense: units", std::to_string(units), "1 or more");
    name = options_.name;
    if (options_.dtype_policy) set_dtype_policy(*options_.dtype_policy);
  }
  std::string type() const override { return "Dense"; }

  void build(const Shape& input) override {
    kernel_ =
        add_weight("kernel", {channels(*this, input, -1), units_}, options_.kernel_initializer);
    if (options_.use_bias) bias_ = add_weight("bias", {units_}, options_.bias_initializer);
  }
  Tensor call(const Tensor& x, bool) override {
    const Tensor flat = x.rank() == 2 ? x : reshape(x, {-1, x.dim(-1)});
    Tensor y = matmul(flat, kernel_);
    if (options_.use_bias) y = bias_add(std::move(y), bias_);
    y = activation_(std::move(y));
    return x.rank() == 2 ? y : reshape_like(y, x, x.rank() - 1, {units_});
  }

 private:
  std::int64_t units_;
  ActivationFunction activation_;
  DenseOptions options_;
  Variable kernel_, bias_;
};

class Conv2DLayer : public LayerBase {
 public:
  Conv2DLayer(std::int64_t filters, std::array<std::int64_t, 2> kernel, Conv2DOptions options)
      : filters_(filters),
        size_(kernel),
        activation_(get_activation(options.activation)),
        options_(std::move(options)) {
    if (filters < 1) throw_argument("Conv2D: filters", std::to_string(filters), "1 or more");
    padding_ = upper(options_.padding, "Conv2D");
    name = options_.name;
    if (options_.dtype_policy) set_dtype_policy(*options_.dtype_policy);
  }
  std::string type() const override { return "Conv2D"; }

  void build(const Shape& input) override {
    kernel_ = add_weight("kernel",
                         {size_[0], size_[1], channels(*this, input, 4), filters_},
                         options_.kernel_initializer);
    if (options_.use_bias) bias_ = add_weight("bias", {filters_}, options_.bias_initializer);
  }
  Tensor call(const Tensor& x, bool) override {
    const auto& s = options_.strides;
    const auto& d = options_.dilation_rate;
    Tensor y = convolution_2d(x,
                              kernel_,
                              {1, s[0], s[1], 1},
                              padding_,
                              std::vector<std::int64_t>{},
                              "NHWC",
                              {1, d[0], d[1], 1});
    if (options_.use_bias) y = bias_add(std::move(y), bias_);
    return activation_(std::move(y));
  }

 private:
  std::int64_t filters_;
  std::array<std::int64_t, 2> size_;
  ActivationFunction activation_;
  Conv2DOptions options_;
  std::string padding_;
  Variable kernel_, bias_;
};

class BatchNormalizationLayer : public LayerBase {
 public:
  explicit BatchNormalizationLayer(BatchNormalizationOptions options)
      : options_(std::move(options)) {
    name = options_.name;
    if (options_.dtype_policy) set_dtype_policy(*options_.dtype_policy);
  }
  std::string type() const override { return "BatchNormalization"; }

  void build(const Shape& input) override {
    const Shape shape{channels(*this, input, -1)};
    if (options_.scale) gamma_ = add_weight("gamma", shape, "ones");
    if (options_.center) beta_ = add_weight("beta", shape, "zeros");
    mean_ = add_weight("moving_mean", shape, "zeros", false);
    variance_ = add_weight("moving_variance", shape, "ones", false);
  }
  Tensor call(const Tensor& given, bool training) override {
    const AutocastScope as_they_are(DType::invalid);
    const Tensor x = at_least_float32(given);
    const Tensor y = normalised(x, training);
    return y.dtype() == given.dtype() ? y : cast(y, given.dtype());
  }

 private:
  Tensor normalised(const Tensor& x, bool training) {
    if (!training) return normalise(x, mean_, variance_);
    std::vector<std::int64_t> axes;
    for (int i = 0; i + 1 < x.rank(); ++i)
      axes.push_back(i);
    const Tensor m = mean(x, axes);
    const Tensor v = mean(squared_difference(x, m), axes);
    const double rate = 1 - options_.momentum;
    mean_.assign_sub((mean_ - stop_gradient(m)) * rate);
    variance_.assign_sub((variance_ - stop_gradient(v)) * rate);
    return normalise(x, m, v);
  }
  Tensor normalise(const Tensor& x, const Tensor& m, const Tensor& v) const {
    Tensor scale = rsqrt(v + options_.epsilon);
    if (options_.scale) scale = scale * gamma_;
    const Tensor y = (x - m) * scale;
    return options_.center ? y + beta_ : y;
  }

  BatchNormalizationOptions options_;
  Variable gamma_, beta_, mean_, variance_;
};

class AddLayer : public LayerBase {
 public:
  std::string type() const override { return "Add"; }
  Tensor call(const Tensor& x, bool) override { return x; }
  Tensor call(const std::vector<Tensor>& inputs, bool) override {
    Tensor sum = inputs[0];
    for (std::size_t i = 1; i < inputs.size(); ++i)
      sum = sum + inputs[i];
    return sum;
  }
};

class ConcatenateLayer : public LayerBase {
 public:
  explicit ConcatenateLayer(int axis) : axis_(axis) {}
  std::string type() const override { return "Concatenate"; }
  Tensor call(const Tensor& x, bool) override { return x; }
  Tensor call(const std::vector<Tensor>& inputs, bool) override { return concat(inputs, axis_); }

 private:
  int axis_;
};

/// Pool size and strides as the ops take them.
struct Window {
  std::vector<std::int64_t> size, strides;
  std::string padding;
};
Window window(std::array<std::int64_t, 2> pool, const PoolOptions& options, const char* layer) {
  const auto stride = [&](std::size_t i) {
    return options.strides[i] > 0 ? options.strides[i] : pool[i];
  };
  return {{1, pool[0], pool[1], 1}, {1, stride(0), stride(1), 1}, upper(options.padding, layer)};
}

Tensor drop(const Tensor& x, double rate) {
  const DType t = is_half(x) ? DType::float32 : x.dtype();  // halves are too coarse for a rate
  const Tensor draw =
      random::uniform(x.shape().is_static() ? Ints(x.shape()) : Ints(shape(x)), 0, 1, t);
  return where(draw >= rate, x * (1 / (1 - rate)), zeros_like(x));
}

}  // namespace

Flatten::Flatten()
    : Layer(stateless("Flatten", [](const Tensor& x, bool) {
        const std::int64_t n = sample_size(x);
        return n >= 0 ? reshape(x, {-1, n}) : reshape_like(x, x, 1, {-1});
      })) {}

Dense::Dense(std::int64_t units, const std::string& activation, const DenseOptions& options)
    : Layer(make_layer<DenseLayer>(units, activation, options)) {}

Activation::Activation(const std::string& activation)
    : Layer(stateless("Activation",
                      [f = get_activation(activation)](const Tensor& x, bool) { return f(x); })) {}
ReLU::ReLU() : Layer(stateless("ReLU", [](const Tensor& x, bool) { return relu(x); })) {}
Softmax::Softmax()
    : Layer(stateless("Softmax", [](const Tensor& x, bool) { return softmax(x); })) {}

Dropout::Dropout(double rate)
    : Layer(stateless("Dropout", [rate](const Tensor& x, bool training) {
        return training && rate > 0 ? drop(x, rate) : x;
      })) {
  if (!(rate >= 0 && rate < 1))
    throw_argument("Dropout: rate", std::to_string(rate), "a number in [0, 1)");
}

Reshape::Reshape(std::vector<std::int64_t> target)
    : Layer(stateless("Reshape", [target](const Tensor& x, bool) {
        return reshape_like(x, x, 1, resolved(target, sample_size(x)));
      })) {}

Conv2D::Conv2D(std::int64_t filters,
               std::array<std::int64_t, 2> kernel_size,
               const Conv2DOptions& options)
    : Layer(make_layer<Conv2DLayer>(filters, kernel_size, options)) {}

MaxPooling2D::MaxPooling2D(std::array<std::int64_t, 2> pool, const PoolOptions& options)
    : Layer(stateless("MaxPooling2D",
                      [w = window(pool, options, "MaxPooling2D")](const Tensor& x, bool) {
                        return max_pool(x, w.size, w.strides, w.padding);
                      })) {}

AveragePooling2D::AveragePooling2D(std::array<std::int64_t, 2> pool, const PoolOptions& options)
    : Layer(stateless("AveragePooling2D",
                      [w = window(pool, options, "AveragePooling2D")](const Tensor& x, bool) {
                        return avg_pool(x, w.size, w.strides, w.padding);
                      })) {}

GlobalAveragePooling2D::GlobalAveragePooling2D()
    : Layer(stateless("GlobalAveragePooling2D", [](const Tensor& x, bool) {
        return mean(x, {1, 2});
      })) {}

BatchNormalization::BatchNormalization(const BatchNormalizationOptions& options)
    : Layer(make_layer<BatchNormalizationLayer>(options)) {}

Add::Add() : Layer(make_layer<AddLayer>()) {}
Concatenate::Concatenate(int axis) : Layer(make_layer<ConcatenateLayer>(axis)) {}

}  // namespace weir::inline v0::keras::layers
