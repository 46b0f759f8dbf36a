/// Depthwise convolutions: each channel has filters of its own.
#include "ops/define.h"

namespace weir::ops {
namespace {

void depthwise_attrs(OpDef& op) {
  op.attr("strides", std::vector<std::int64_t>{1, 1, 1, 1})
      .attr("padding", "VALID", {"VALID", "SAME", "EXPLICIT"})
      .attr("explicit_paddings", std::vector<std::int64_t>{})
      .attr("data_format", "NHWC", {"NHWC"})
      .attr("dilations", std::vector<std::int64_t>{1, 1, 1, 1});
}

}  // namespace

OpDef define_depthwise_conv2d() {
  OpDef op("DepthwiseConv2dNative");
  op.api("depthwise_convolution_2d", "nn")
      .doc(
          "Convolution of every channel with `multiplier` filters of its own: output channel c * "
          "multiplier + m is channel\n"
          "c convolved with filter[:, :, c, m]. Attributes as of convolution_2d. Shapes: input "
          "[batch, height, width, in],\n"
          "filter [height, width, in, multiplier] -> [batch, height, width, in * multiplier].\n"
          "Errors: those of convolution_2d; channels of input and filter that differ.")
      .type("T", kFloating)
      .input("input", "T")
      .input("filter", "T");
  depthwise_attrs(op);
  return op.output("output", "T")
      .example("[2,5,5,3] [3,3,3,2] ; strides=[1,1,1,1] padding=SAME")
      .example("[1,6,7,2] [2,3,2,1] ; strides=[1,2,2,1] padding=VALID");
}

OpDef define_depthwise_conv2d_backprop_input() {
  OpDef op("DepthwiseConv2dNativeBackpropInput");
  op.api("depthwise_convolution_2d_input_gradient", "nn")
      .doc(
          "The gradient of depthwise_convolution_2d with respect to its input, whose shape is "
          "input_sizes.")
      .type("T", kFloating)
      .static_operand("input_sizes", {.input = 0})
      .input("filter", "T")
      .input("out_backprop", "T");
  depthwise_attrs(op);
  return op.output("output", "T")
      .example("[3,3,3,2] [2,5,5,6] ; input_sizes=[2,5,5,3] strides=[1,1,1,1] padding=SAME");
}

OpDef define_depthwise_conv2d_backprop_filter() {
  OpDef op("DepthwiseConv2dNativeBackpropFilter");
  op.api("depthwise_convolution_2d_filter_gradient", "nn")
      .doc(
          "The gradient of depthwise_convolution_2d with respect to its filter, whose shape is "
          "filter_sizes.")
      .type("T", kFloating)
      .static_operand("filter_sizes", {.input = 1})
      .input("input", "T")
      .input("out_backprop", "T");
  depthwise_attrs(op);
  return op.output("output", "T")
      .example("[2,5,5,3] [2,5,5,6] ; filter_sizes=[3,3,3,2] strides=[1,1,1,1] padding=SAME");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/nn.h>

#include "ops/nn/conv_attrs.h"
#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

Dim product(Dim a, Dim b) {
  return a.known() && b.known() ? Dim(a.value() * b.value()) : Dim::unknown();
}

Shape depthwise_shape(InferContext& c, int first, ShapeView input, ShapeView filter) {
  const infer::WindowAttrs a = infer::conv_windows(first);
  infer::check_windows(c, a);
  for (Dim d : filter.dims()) {
    if (d == Dim(0)) c.fail("the filter is empty", filter.to_string(), "dimensions >= 1");
  }
  infer::equal_dims(c, input[3], filter[2], "channels of input and filter");
  return Shape{input[0],
               infer::slide(c, a, 1, input[1], filter[0]),
               infer::slide(c, a, 2, input[2], filter[1]),
               product(filter[2], filter[3])};
}

void require_rank_4(InferContext& c) {
  infer::require_rank(c, 0, 4);
  infer::require_rank(c, 1, 4);
}

/// Shared by both gradients: sets the target's shape, checks that out_backprop is what the forward
/// op gives.
void infer_gradient(InferContext& c, bool to_input) {
  require_rank_4(c);
  const Shape target = infer::target_shape(c);
  const Shape forward = to_input ? depthwise_shape(c, 1, target, c.shape(0))
                                 : depthwise_shape(c, 1, c.shape(0), target);
  for (int i = 0; i < 4; ++i)
    infer::equal_dims(c, forward[i], c.shape(1)[i], "shapes of out_backprop and of the output");
  c.set(0, target);
}

struct Depthwise : ConvAttrs {
  using ConvAttrs::ConvAttrs;

  Tensor forward(const Tensor& x, const Tensor& filter) const {
    return depthwise_convolution_2d(x, filter, strides, padding, paddings, "NHWC", dilations);
  }
  Tensor to_input(const Ints& shape, const Tensor& filter, const Tensor& dy) const {
    return depthwise_convolution_2d_input_gradient(
        shape, filter, dy, strides, padding, paddings, "NHWC", dilations);
  }
  Tensor to_filter(const Tensor& x, const Ints& shape, const Tensor& dy) const {
    return depthwise_convolution_2d_filter_gradient(
        shape, x, dy, strides, padding, paddings, "NHWC", dilations);
  }
};

}  // namespace

void implement_depthwise_conv2d(OpDef& op) {
  op.infer([](InferContext& c) {
      require_rank_4(c);
      c.set(0, depthwise_shape(c, 0, c.shape(0), c.shape(1)));
    })
      .saves_input({0, 1})
      .gradient([](GradientContext& g) {
        const Depthwise conv(g, 0);
        if (g.needs(0)) g.set(0, conv.to_input(g.input_dims(0), g.input(1), g.dy()));
        if (g.needs(1)) g.set(1, conv.to_filter(g.input(0), g.input_dims(1), g.dy()));
      });
}

void implement_depthwise_conv2d_backprop_input(OpDef& op) {
  op.infer([](InferContext& c) { infer_gradient(c, true); })
      .saves_input({0, 1})
      .gradient([](GradientContext& g) {
        const Depthwise conv(g, 1);
        if (g.needs(0)) g.set(0, conv.to_filter(g.dy(), g.input_dims(0), g.input(1)));
        if (g.needs(1)) g.set(1, conv.forward(g.dy(), g.input(0)));
      });
}

void implement_depthwise_conv2d_backprop_filter(OpDef& op) {
  op.infer([](InferContext& c) { infer_gradient(c, false); })
      .saves_input({0, 1})
      .gradient([](GradientContext& g) {
        const Depthwise conv(g, 1);
        if (g.needs(0)) g.set(0, conv.to_input(g.input_dims(0), g.dy(), g.input(1)));
        if (g.needs(1)) g.set(1, conv.forward(g.input(0), g.dy()));
      });
}

}  // namespace weir::ops
#endif
