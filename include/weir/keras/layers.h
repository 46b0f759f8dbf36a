/// The layers that models are made of. Shapes are given with the batch dimension first; images are
/// NHWC.
#pragma once

#include <weir/keras/layer.h>

#include <array>
#include <optional>

namespace weir::inline v0::keras::layers {

/// [n, ...] -> [n, product of the rest]
class Flatten : public Layer {
 public:
  Flatten();
};

struct DenseOptions {
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};
  std::optional<DTypePolicy> dtype_policy = {};  // none: the global policy
};
/// activation(x . kernel + bias) over the last axis: [..., k] -> [..., units].
class Dense : public Layer {
 public:
  explicit Dense(std::int64_t units,
                 const std::string& activation = "",
                 const DenseOptions& options = {});
};

class Activation : public Layer {
 public:
  explicit Activation(const std::string& activation);
};
class ReLU : public Layer {
 public:
  ReLU();
};
class Softmax : public Layer {
 public:
  Softmax();
};

/// In training, zeroes a fraction `rate` of the elements and scales the rest by 1 / (1 - rate).
class Dropout : public Layer {
 public:
  explicit Dropout(double rate);
};

/// Samples in another shape (without the batch dimension); one dimension may be -1.
class Reshape : public Layer {
 public:
  explicit Reshape(std::vector<std::int64_t> shape);
};

struct Conv2DOptions {
  std::array<std::int64_t, 2> strides = {1, 1};
  std::string padding = "valid";  // or "same"
  std::string activation = "";
  std::array<std::int64_t, 2> dilation_rate = {1, 1};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};
  std::optional<DTypePolicy> dtype_policy = {};  // none: the global policy
};
/// [n, h, w, c] -> [n, h', w', filters]
class Conv2D : public Layer {
 public:
  Conv2D(std::int64_t filters,
         std::array<std::int64_t, 2> kernel_size,
         const Conv2DOptions& options = {});
  Conv2D(std::int64_t filters, std::int64_t kernel_size, const Conv2DOptions& options = {})
      : Conv2D(filters, std::array{kernel_size, kernel_size}, options) {}
};

struct PoolOptions {
  std::array<std::int64_t, 2> strides = {0, 0};  // 0: the pool size
  std::string padding = "valid";
};
class MaxPooling2D : public Layer {
 public:
  explicit MaxPooling2D(std::array<std::int64_t, 2> pool_size = {2, 2},
                        const PoolOptions& options = {});
};
class AveragePooling2D : public Layer {
 public:
  explicit AveragePooling2D(std::array<std::int64_t, 2> pool_size = {2, 2},
                            const PoolOptions& options = {});
};
/// [n, h, w, c] -> [n, c]
class GlobalAveragePooling2D : public Layer {
 public:
  GlobalAveragePooling2D();
};

struct BatchNormalizationOptions {
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  std::string name = {};
  std::optional<DTypePolicy> dtype_policy = {};  // none: the global policy
};
/// Normalises each channel (last axis): in training with the moments of the batch, else with moving
/// averages of them. The moving variance averages the biased variance of the batches, as Keras 3
/// does; TensorFlow's fused op feeds it the unbiased one. Computes in float32 at least, whatever
/// the policy; the result has the compute dtype.
class BatchNormalization : public Layer {
 public:
  explicit BatchNormalization(const BatchNormalizationOptions& options = {});
};

/// Element-wise sum of inputs of one shape.
class Add : public Layer {
 public:
  Add();
};
/// Inputs joined along an axis.
class Concatenate : public Layer {
 public:
  explicit Concatenate(int axis = -1);
};

}  // namespace weir::inline v0::keras::layers
