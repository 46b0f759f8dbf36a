/// Softmax along the last axis.
#include "ops/define.h"

namespace weir::ops {

OpDef define_softmax() {
  return OpDef("Softmax")
      .api("softmax", "nn")
      .doc(
          "exp(x) / sum(exp(x)) along the last axis, computed from x - max(x), so that no logit "
          "overflows. An entry of\n"
          "-inf becomes 0; a row that is all -inf becomes NaN. For another axis: softmax(x, axis) "
          "in weir/nn.h.\n"
          "Errors: a scalar.")
      .type("T", kFloating)
      .input("logits", "T")
      .output("softmax", "T")
      .example("[2,5]:-8..8")
      .example("[2,3,4]:-8..8")
      .example("[7]")
      .example("[0,3]");
}

OpDef define_log_softmax() {
  return OpDef("LogSoftmax")
      .api("log_softmax", "nn")
      .doc(
          "x - log(sum(exp(x))) along the last axis, computed from x - max(x). For another axis: "
          "log_softmax(x, axis) in\n"
          "weir/nn.h. Errors: a scalar.")
      .type("T", kFloating)
      .input("logits", "T")
      .output("logsoftmax", "T")
      .example("[2,5]:-8..8")
      .example("[2,3,4]:-8..8")
      .example("[0,3]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

namespace weir::ops {
namespace {

void infer_softmax(InferContext& c) {
  if (c.shape(0).rank() == 0) c.fail("logits must have an axis", {}, "rank 1 or more");
  infer::same_as_first(c);
}

Cost cost_softmax(std::span<const SpecView> inputs,
                  std::span<const Spec>,
                  std::span<const rt::Attr>) {
  const double n = double(inputs[0].shape.size());
  return {.flops = 4 * n, .bytes = 2 * n * double(byte_size(inputs[0].dtype))};
}

}  // namespace

void implement_softmax(OpDef& op) {
  op.infer(infer_softmax).cost(cost_softmax).saves_output({0}).gradient([](GradientContext& g) {
    const Tensor y = g.output(), dy = g.dy();
    g.set(0, multiply(subtract(dy, sum(multiply(dy, y), -1, true)), y));
  });
}

void implement_log_softmax(OpDef& op) {
  op.infer(infer_softmax).cost(cost_softmax).saves_output({0}).gradient([](GradientContext& g) {
    const Tensor dy = g.dy();
    // softmax(log p) is p: the probabilities, without a separate exponential.
    g.set(0, subtract(dy, multiply(softmax(g.output()), sum(dy, -1, true))));
  });
}

}  // namespace weir::ops
#endif
