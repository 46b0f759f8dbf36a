/// Adding a vector along the channels, and the loss of weight decay.
#include "ops/define.h"

namespace weir::ops {

OpDef define_bias_add() {
  return OpDef("BiasAdd")
      .api("bias_add", "nn")
      .doc(
          "value + bias, where bias [c] is added along the last axis of value [..., c].\n"
          "Errors: a scalar value; a bias of rank other than 1 or of another length.")
      .type("T", kNumeric)
      .input("value", "T")
      .input("bias", "T")
      .attr("data_format", "NHWC", {"NHWC"})
      .output("output", "T")
      .traits(Trait::elementwise)
      .example("[2,3] [3]")
      .example("[2,4,4,3] [3]")
      .example("[0,3] [3]");
}

OpDef define_bias_add_grad() {
  return OpDef("BiasAddGrad")
      .api("bias_add_grad", "nn")
      .doc(
          "The gradient of bias_add with respect to the bias: the sum over all axes but the last. "
          "Errors: a scalar.")
      .type("T", kNumeric)
      .input("out_backprop", "T")
      .attr("data_format", "NHWC", {"NHWC"})
      .output("output", "T")
      .example("[2,3]")
      .example("[2,4,4,3]");
}

OpDef define_l2_loss() {
  return OpDef("L2Loss")
      .api("l2_loss", "nn")
      .doc("sum(t * t) / 2, a scalar.")
      .type("T", kFloating)
      .input("t", "T")
      .output("output", "T")
      .example("[2,3]")
      .example("[0]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

#include "ops/array/helpers.h"
#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

void infer_bias_add(InferContext& c) {
  if (c.shape(0).rank() == 0) c.fail("value must have an axis", {}, "rank 1 or more");
  infer::require_rank(c, 1, 1);
  Shape out = c.shape(0).to_shape();
  const int last = out.rank() - 1;
  out[last] = infer::equal_dims(c, out[last], c.shape(1)[0], "channels of value and bias");
  c.set(0, out);
}

void infer_bias_add_grad(InferContext& c) {
  const ShapeView in = c.shape(0);
  if (in.rank() == 0) c.fail("out_backprop must have an axis", {}, "rank 1 or more");
  c.set(0, Shape{in[in.rank() - 1]});
}

Tensor sum_but_last(const Tensor& t) {
  std::vector<std::int64_t> axes;
  for (int i = 0; i + 1 < t.rank(); ++i)
    axes.push_back(i);
  return axes.empty() ? t : sum(t, axes);
}

}  // namespace

void implement_bias_add(OpDef& op) {
  op.infer(infer_bias_add).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, g.dy());
    if (!g.needs(1)) return;
    array::require_ranks(g, "BiasAdd");
    g.set(1, sum_but_last(g.dy()));
  });
}

void implement_bias_add_grad(OpDef& op) {
  op.infer(infer_bias_add_grad)
      .decompose([](std::span<const Tensor> inputs, std::span<const rt::Attr>) {
        return std::vector<Tensor>{sum_but_last(inputs[0])};
      });
}

void implement_l2_loss(OpDef& op) {
  op.infer(infer::scalar)
      .saves_input({0})
      .decompose([](std::span<const Tensor> inputs, std::span<const rt::Attr>) {
        return std::vector<Tensor>{multiply(sum(multiply(inputs[0], inputs[0])), 0.5)};
      })
      .gradient([](GradientContext& g) { g.set(0, multiply(g.input(0), g.dy())); });
}

}  // namespace weir::ops
#endif
