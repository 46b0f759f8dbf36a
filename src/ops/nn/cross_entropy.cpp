/// Cross entropy of softmax(features) and labels; both ops also compute the gradient with respect
/// to the features, which costs almost nothing beside the loss.
#include "ops/define.h"

namespace weir::ops {

OpDef define_softmax_cross_entropy() {
  return OpDef("SoftmaxCrossEntropyWithLogits")
      .api("softmax_cross_entropy", "nn")
      .doc(
          "loss[i] = -sum over c of labels[i, c] * log_softmax(features)[i, c]; each row of labels "
          "is a distribution.\n"
          "backprop = softmax(features) - labels, the gradient of the loss for labels that sum to "
          "1.\n"
          "Shapes: features and labels [batch, classes] -> loss [batch], backprop [batch, "
          "classes].\n"
          "Other ranks, and TensorFlow's order of arguments: softmax_cross_entropy_with_logits in "
          "weir/nn.h.\n"
          "Errors: rank other than 2; different shapes.")
      .type("T", kFloating)
      .input("features", "T")
      .input("labels", "T")
      .output("loss", "T")
      .output("backprop", "T")
      .example("[3,5]:-4..4 [3,5]:simplex")
      .example("[0,5] [0,5]");
}

OpDef define_sparse_softmax_cross_entropy() {
  return OpDef("SparseSoftmaxCrossEntropyWithLogits")
      .api("sparse_softmax_cross_entropy", "nn")
      .doc(
          "loss[i] = -log_softmax(features)[i, labels[i]]: cross entropy with one true class per "
          "row.\n"
          "backprop = softmax(features) - one_hot(labels), the gradient of the loss.\n"
          "Shapes: features [batch, classes], labels [batch] -> loss [batch], backprop [batch, "
          "classes].\n"
          "Other ranks, and TensorFlow's order of arguments: "
          "sparse_softmax_cross_entropy_with_logits in weir/nn.h.\n"
          "Errors: other ranks; different batches; a label outside [0, classes).")
      .type("T", kFloating)
      .type("Tlabels", kIndex)
      .input("features", "T")
      .input("labels", "Tlabels")
      .output("loss", "T")
      .output("backprop", "T")
      .example("[3,5]:-4..4 i32[3]:0..4")
      .example("[3,5]:-4..4 i64[3]:0..4")
      .example("[0,5] i32[0]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

void set_outputs(InferContext& c, Dim batch, Dim classes) {
  c.set(0, Shape{batch});
  c.set(1, Shape{batch, classes});
}

void infer_dense(InferContext& c) {
  infer::require_rank(c, 0, 2);
  infer::require_rank(c, 1, 2);
  const Dim batch =
      infer::equal_dims(c, c.shape(0)[0], c.shape(1)[0], "batches of features and labels");
  set_outputs(c,
              batch,
              infer::equal_dims(c, c.shape(0)[1], c.shape(1)[1], "classes of features and labels"));
}

void infer_sparse(InferContext& c) {
  infer::require_rank(c, 0, 2);
  infer::require_rank(c, 1, 1);
  const Dim batch =
      infer::equal_dims(c, c.shape(0)[0], c.shape(1)[0], "batches of features and labels");
  set_outputs(c, batch, c.shape(0)[1]);
}

Cost cost_rows(std::span<const SpecView> inputs, std::span<const Spec>, std::span<const rt::Attr>) {
  const double n = double(inputs[0].shape.size());
  return {.flops = 5 * n, .bytes = 2 * n * double(byte_size(inputs[0].dtype))};
}

Tensor column(const Tensor& per_row) {
  return reshape(per_row, {-1, 1});
}

/// dy(0) through the loss and, in second derivatives, dy(1) through backprop = softmax(features) -
/// labels.
Tensor gradient_of_features(GradientContext& g) {
  const Tensor first = multiply(column(g.dy(0)), g.output(1));
  if (!g.has_dy(1)) return first;
  const Tensor p = softmax(g.input(0)), dy = g.dy(1);
  return add(first, multiply(subtract(dy, sum(multiply(dy, p), 1, true)), p));
}

Tensor gradient_of_labels(GradientContext& g) {
  const Tensor first = multiply(column(g.dy(0)), multiply(log_softmax(g.input(0)), -1));
  return g.has_dy(1) ? subtract(first, g.dy(1)) : first;
}

}  // namespace

void implement_softmax_cross_entropy(OpDef& op) {
  op.infer(infer_dense)
      .cost(cost_rows)
      .saves_input({0})
      .saves_output({1})
      .gradient([](GradientContext& g) {
        if (g.needs(0)) g.set(0, gradient_of_features(g));
        if (g.needs(1)) g.set(1, gradient_of_labels(g));
      });
}

void implement_sparse_softmax_cross_entropy(OpDef& op) {
  op.infer(infer_sparse)
      .cost(cost_rows)
      .saves_input({0})
      .saves_output({1})
      .gradient([](GradientContext& g) {
        if (g.needs(0)) g.set(0, gradient_of_features(g));
      });
}

}  // namespace weir::ops
#endif
