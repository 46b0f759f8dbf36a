/// Functions of neural networks that are several ops, and shorter forms of those in weir/ops/nn.h.
#pragma once

#include <weir/operand.h>
#include <weir/random.h>

#include <string_view>

namespace weir::inline v0 {

/// softmax and log_softmax along another axis than the last.
Tensor softmax(Operand logits, std::int64_t axis);
Tensor log_softmax(Operand logits, std::int64_t axis);

/// Cross entropy of each row: -sum(labels * log_softmax(logits)) along the last axis. Each row of
/// labels is a distribution. Shapes: labels and logits [..., classes] -> [...]. Errors: different
/// shapes; a scalar.
Tensor softmax_cross_entropy_with_logits(Operand labels, Operand logits);
/// The same with one true class per row: labels int32 or int64 [...]. Errors: a label outside [0,
/// classes); ranks that do not differ by one.
Tensor sparse_softmax_cross_entropy_with_logits(Operand labels, Operand logits);
/// Element-wise cross entropy of sigmoid(logits) and labels: max(x, 0) - x * z + log(1 +
/// exp(-|x|)), which neither overflows nor cancels. Errors: different shapes.
Tensor sigmoid_cross_entropy_with_logits(Operand labels, Operand logits);

/// Convolution of images [batch, height, width, in] with filters [height, width, in / groups, out].
/// `strides` and `dilations`: one number, [height, width] or [1, height, width, 1]. padding:
/// "VALID" or "SAME". Errors: see convolution_2d.
Tensor conv2d(Operand input,
              Operand filter,
              const Ints& strides = 1,
              std::string_view padding = "VALID",
              const Ints& dilations = 1);
/// The transposed convolution: the gradient of conv2d with respect to an input of shape
/// `output_shape`.
Tensor conv2d_transpose(Operand input,
                        Operand filter,
                        const Ints& output_shape,
                        const Ints& strides = 1,
                        std::string_view padding = "SAME",
                        const Ints& dilations = 1);
/// Filters [height, width, in, multiplier] of each channel's own -> in * multiplier channels.
Tensor depthwise_conv2d(Operand input,
                        Operand filter,
                        const Ints& strides = 1,
                        std::string_view padding = "VALID",
                        const Ints& dilations = 1);
/// Pooling of images [batch, height, width, channels] with windows of `size` cells; sizes as the
/// strides of conv2d.
Tensor max_pool2d(Operand input,
                  const Ints& size,
                  const Ints& strides,
                  std::string_view padding = "VALID");
Tensor avg_pool2d(Operand input,
                  const Ints& size,
                  const Ints& strides,
                  std::string_view padding = "VALID");

/// Mean and (biased) variance along axes; all of them by default.
struct Moments {
  Tensor mean;
  Tensor variance;
};
Moments moments(Operand x, const Ints& axes = {}, bool keepdims = false);

/// scale * (x - mean) / sqrt(variance + epsilon) + offset, all of which broadcast. A scale or
/// offset may be left out by passing 1 and 0.
Tensor batch_normalization(Operand x,
                           Operand mean,
                           Operand variance,
                           Operand offset,
                           Operand scale,
                           double epsilon = 1e-3);
/// Normalises along `axes` (the last by default) to mean 0 and variance 1, then scales and shifts.
Tensor layer_normalization(
    Operand x, Operand scale, Operand offset, const Ints& axes = -1, double epsilon = 1e-3);
/// Sets each element to 0 with probability `rate` and divides the others by 1 - rate, so that the
/// expected value stays. One draw of the generator. Errors: a rate outside [0, 1); a dtype that is
/// not floating.
Tensor dropout(Operand x, double rate, const Generator& generator = random::default_generator());

}  // namespace weir::inline v0
