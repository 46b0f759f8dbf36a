/// Batch normalisation as one op, as TensorFlow's graphs have it; computed, and differentiated, as
/// the ops it stands for.
#include "ops/define.h"

namespace weir::ops {

OpDef define_fused_batch_norm() {
  return OpDef("FusedBatchNormV3")
      .api("fused_batch_norm", "nn")
      .doc(
          "(x - mean) / sqrt(variance + epsilon) * scale + offset for each channel, the last axis "
          "of x.\n"
          "is_training: mean and variance are those of x over batch, height and width; batch_mean "
          "and batch_variance\n"
          "return them, the variance unbiased (n - 1), mixed with the operands if "
          "exponential_avg_factor is not 1:\n"
          "(1 - factor) * operand + factor * new. The operands may then be empty. Otherwise the "
          "operands are used and\n"
          "returned. The normalisation itself uses the biased variance. reserve_space_1 and 2: "
          "mean and biased variance.\n"
          "Shapes: x [batch, height, width, c]; scale, offset, mean, variance [c]. Errors: other "
          "shapes.")
      .type("T", kFloating)
      .type("U", kFloating)
      .input("x", "T")
      .input("scale", "U")
      .input("offset", "U")
      .input("mean", "U")
      .input("variance", "U")
      .attr("epsilon", 0.0001)
      .attr("exponential_avg_factor", 1.0)
      .attr("data_format", "NHWC", {"NHWC"})
      .attr("is_training", true)
      .output("y", "T")
      .output("batch_mean", "U")
      .output("batch_variance", "U")
      .output("reserve_space_1", "U")
      .output("reserve_space_2", "U")
      .output("reserve_space_3", "U")
      .example("[2,3,4,5] [5] [5] [5] [5]:0.5..2 ; is_training=false")
      .example("[2,3,4,5] [5] [5] [5] [5]:0.5..2 ; exponential_avg_factor=0.9")
      .example("[2,3,4,5] [5] [5] [0] [0] ; is_training=true");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

constexpr int kEpsilon = 0, kFactor = 1, kTraining = 3;

void infer_batch_norm(InferContext& c) {
  infer::require_rank(c, 0, 4);
  Dim channels = c.shape(0)[3];
  const bool training = c.attr(kTraining).b;
  for (int i = 1; i < 5; ++i) {
    infer::require_rank(c, i, 1);
    const bool may_be_empty = i > 2 && training && c.attr(kFactor).f == 1;
    if (may_be_empty && c.shape(i)[0] == Dim(0)) continue;
    channels = infer::equal_dims(
        c, channels, c.shape(i)[0], "channels of x, scale, offset, mean and variance");
  }
  Shape y = c.shape(0).to_shape();
  y[3] = channels;
  c.set(0, y);
  for (int o = 1; o < 5; ++o)
    c.set(o, Shape{channels});
  c.set(5, Shape{0});
}

/// n / (n - 1) for the n elements of a channel, 1 for a single one.
Tensor unbias(const Tensor& x, const Tensor& like) {
  const Tensor n =
      cast(divide(cast(size(x), DType::float64), cast(maximum(size(like), 1), DType::float64)),
           like.dtype());
  return divide(n, maximum(subtract(n, 1), 1));
}

Tensor mix(const Tensor& old, const Tensor& fresh, double factor) {
  return factor == 1 ? fresh : add(multiply(old, 1 - factor), multiply(fresh, factor));
}

std::vector<Tensor> batch_norm(std::span<const Tensor> in, std::span<const rt::Attr> attrs) {
  const DType wide = in[1].dtype();
  const bool training = attrs[kTraining].b, same = in[0].dtype() == wide;
  const Tensor x = same ? in[0] : cast(in[0], wide);
  const Tensor mean = training ? weir::mean(x, {0, 1, 2}) : in[3];
  const Tensor centred = subtract(x, mean);
  const Tensor variance = training ? weir::mean(square(centred), {0, 1, 2}) : in[4];
  const Tensor y =
      add(multiply(centred, multiply(rsqrt(add(variance, attrs[kEpsilon].f)), in[1])), in[2]);
  const double factor = training ? attrs[kFactor].f : 1;
  const Tensor reported = training ? multiply(variance, unbias(x, mean)) : variance;
  return {same ? y : cast(y, in[0].dtype()),
          mix(in[3], mean, factor),
          mix(in[4], reported, factor),
          mean,
          variance,
          Tensor::zeros(Shape{0}, wide)};
}

}  // namespace

void implement_fused_batch_norm(OpDef& op) {
  op.infer(infer_batch_norm).decompose(batch_norm);
}

}  // namespace weir::ops
#endif
