/// Functions made of several ops.
#include <weir/functions.h>
#include <weir/nn.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/ops/random.h>

#include <numeric>

#include "dispatch/call.h"
#include "ops/argument_error.h"
#include "ops/dims.h"
#include "tensor/convert.h"

namespace weir::inline v0 {
namespace {

using List = std::vector<std::int64_t>;
using Where = std::source_location;
using ops::fail;

/// One number, two or four, as TensorFlow's list of four.
List spread(const char* function, const Ints& given, Where where) {
  const auto v = given.values();
  if (given.tensor() || !given.present())
    fail(function, where, "sizes and strides must be integers", {}, "1, 2 or 4 of them");
  if (v.size() == 1) return {1, v[0], v[0], 1};
  if (v.size() == 2) return {1, v[0], v[1], 1};
  if (v.size() == 4) return {v.begin(), v.end()};
  fail(function,
       where,
       "a list of the wrong length",
       std::to_string(v.size()) + " numbers",
       "1, 2 or 4 of them");
}

/// f(x) along the last axis, where `axis` has been moved.
template <class F>
Tensor along_last(const Tensor& x, std::int64_t axis, Where where, F f) {
  const int rank = x.rank();
  if (axis < -rank || axis >= rank)
    fail("softmax",
         where,
         "axis out of range",
         "axis " + std::to_string(axis) + " with " + x.describe(),
         "an axis of the logits");
  if (axis < 0) axis += rank;
  if (axis == rank - 1) return f(Operand(x, where));
  List permutation(std::size_t(rank), 0);
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[std::size_t(axis)], permutation.back());
  return transpose(f(transpose(Operand(x, where), permutation)), permutation);
}

/// [..., n] as [rows, n].
Tensor as_rows(const Tensor& t) {
  const std::int64_t last = t.dim(-1);
  if (t.rank() == 2) return t;
  if (last > 0) return reshape(t, {-1, last});
  return reshape(t,
                 concat({reshape(prod(cast(slice(shape(t), 0, t.rank() - 1), DType::int64)), 1),
                         cast(slice(shape(t), t.rank() - 1, 1), DType::int64)},
                        0));
}

/// A value per row, in the shape that the rows had.
Tensor per_row(const Tensor& values, const Tensor& rows_of) {
  return rows_of.rank() == 2
             ? values
             : reshape(values, ops::DimsOf(rows_of, 0, rows_of.rank() - 1).for_reshape());
}

}  // namespace

Tensor softmax(Operand logits, std::int64_t axis) {
  return along_last(logits.to_tensor(), axis, logits.where(), [](Operand x) { return softmax(x); });
}

Tensor log_softmax(Operand logits, std::int64_t axis) {
  return along_last(
      logits.to_tensor(), axis, logits.where(), [](Operand x) { return log_softmax(x); });
}

Tensor softmax_cross_entropy_with_logits(Operand labels, Operand logits) {
  const dispatch::OperandScope scope({labels, logits});
  const Tensor z = labels.to_tensor(), x = logits.to_tensor();
  if (x.rank() == 0 || z.rank() != x.rank())
    fail("softmax_cross_entropy_with_logits",
         logits.where(),
         "labels and logits must have the same shape",
         "labels " + z.describe() + ", logits " + x.describe(),
         "[..., classes] twice");
  if (x.rank() == 2) return softmax_cross_entropy(Operand(x, logits.where()), z).loss;
  return per_row(softmax_cross_entropy(Operand(as_rows(x), logits.where()), as_rows(z)).loss, x);
}

Tensor sparse_softmax_cross_entropy_with_logits(Operand labels, Operand logits) {
  const dispatch::OperandScope scope({labels, logits});
  const Tensor z = labels.to_tensor(), x = logits.to_tensor();
  if (x.rank() == 0 || z.rank() != x.rank() - 1)
    fail("sparse_softmax_cross_entropy_with_logits",
         logits.where(),
         "labels must have one axis less than logits",
         "labels " + z.describe() + ", logits " + x.describe(),
         "labels [...], logits [..., classes]");
  if (x.rank() == 2) return sparse_softmax_cross_entropy(Operand(x, logits.where()), z).loss;
  return per_row(
      sparse_softmax_cross_entropy(Operand(as_rows(x), logits.where()), reshape(z, -1)).loss, x);
}

Tensor sigmoid_cross_entropy_with_logits(Operand labels, Operand logits) {
  const dispatch::OperandScope scope({labels, logits});
  const Tensor x = logits.to_tensor();
  const Tensor z =
      labels.is_scalar() ? tensor::adopt_scalar(labels.scalar(), x.dtype()) : labels.to_tensor();
  return subtract(Operand(maximum(x, 0), logits.where()), multiply(x, z)) +
         log1p(exp(negative(abs(x))));
}

Tensor conv2d(Operand input,
              Operand filter,
              const Ints& strides,
              std::string_view padding,
              const Ints& dilations) {
  return convolution_2d(input,
                        filter,
                        spread("conv2d", strides, input.where()),
                        padding,
                        List{},
                        "NHWC",
                        spread("conv2d", dilations, input.where()));
}

Tensor conv2d_transpose(Operand input,
                        Operand filter,
                        const Ints& output_shape,
                        const Ints& strides,
                        std::string_view padding,
                        const Ints& dilations) {
  return convolution_2d_input_gradient(output_shape,
                                       filter,
                                       input,
                                       spread("conv2d_transpose", strides, input.where()),
                                       padding,
                                       List{},
                                       "NHWC",
                                       spread("conv2d_transpose", dilations, input.where()));
}

Tensor depthwise_conv2d(Operand input,
                        Operand filter,
                        const Ints& strides,
                        std::string_view padding,
                        const Ints& dilations) {
  return depthwise_convolution_2d(input,
                                  filter,
                                  spread("depthwise_conv2d", strides, input.where()),
                                  padding,
                                  List{},
                                  "NHWC",
                                  spread("depthwise_conv2d", dilations, input.where()));
}

Tensor max_pool2d(Operand input, const Ints& size, const Ints& strides, std::string_view padding) {
  return max_pool(input,
                  spread("max_pool2d", size, input.where()),
                  spread("max_pool2d", strides, input.where()),
                  padding);
}

Tensor avg_pool2d(Operand input, const Ints& size, const Ints& strides, std::string_view padding) {
  return avg_pool(input,
                  spread("avg_pool2d", size, input.where()),
                  spread("avg_pool2d", strides, input.where()),
                  padding);
}

Moments moments(Operand operand, const Ints& axes, bool keepdims) {
  const Tensor x = operand.to_tensor();
  const Tensor center = mean(Operand(x, operand.where()), axes, true);
  return {keepdims ? center : sum(center, axes),
          mean(squared_difference(x, center), axes, keepdims)};
}

Tensor batch_normalization(
    Operand x, Operand mean, Operand variance, Operand offset, Operand scale, double epsilon) {
  const Tensor factor = multiply(rsqrt(add(variance, epsilon)), scale);
  return add(multiply(x, factor), subtract(offset, multiply(mean, factor)));
}

Tensor layer_normalization(
    Operand operand, Operand scale, Operand offset, const Ints& axes, double epsilon) {
  const Tensor x = operand.to_tensor();
  const Moments m = moments(Operand(x, operand.where()), axes, true);
  // Mean and variance have fewer elements than x: what has not x's size is computed first.
  const Tensor factor = rsqrt(add(m.variance, epsilon));
  return add(multiply(multiply(subtract(x, m.mean), factor), scale), offset);
}

Tensor dropout(Operand operand, double rate, const Generator& generator) {
  const Tensor x = operand.to_tensor();
  if (!(rate >= 0 && rate < 1))
    fail("dropout",
         operand.where(),
         "the rate is not a probability below 1",
         std::to_string(rate),
         "0 <= rate < 1");
  if (!is_floating(x.dtype()))
    fail("dropout", operand.where(), "not a floating dtype", x.describe(), "a floating dtype");
  if (rate == 0) return x;
  const Tensor u =
      stateless_uniform(ops::DimsOf(x).exact(), generator.next(operand.where()), x.dtype());
  return where(greater_equal(u, rate), multiply(Operand(x, operand.where()), 1 / (1 - rate)), 0);
}

}  // namespace weir::inline v0
