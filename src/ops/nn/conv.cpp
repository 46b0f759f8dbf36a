/// Convolutions of images [batch, height, width, channels] and their gradients. All three are
/// linear in both operands, so each is the derivative of the others, to any order.
#include "ops/define.h"

namespace weir::ops {
namespace {

constexpr const char* kConvNotes =
    "strides and dilations are [1, height, width, 1]; padding is VALID, SAME (an odd cell goes to "
    "the end) or EXPLICIT\n"
    "with explicit_paddings, two numbers for each axis. If the input has k times as many channels "
    "as the filter takes,\n"
    "the channels form k groups.\n"
    "Errors: a rank other than 4; strides or dilations below 1; an empty filter; channels that do "
    "not divide; a window\n"
    "larger than the padded input.";

void conv_attrs(OpDef& op, Trait trait) {
  op.attr("strides", std::vector<std::int64_t>{1, 1, 1, 1})
      .attr("padding", "VALID", {"VALID", "SAME", "EXPLICIT"})
      .attr("explicit_paddings", std::vector<std::int64_t>{})
      .attr("data_format", "NHWC", {"NHWC"})
      .attr("dilations", std::vector<std::int64_t>{1, 1, 1, 1})
      .traits(trait);
}

}  // namespace

OpDef define_conv2d() {
  OpDef op("Conv2D");
  op.api("convolution_2d", "nn")
      .doc(std::string(
               "Convolution: y[n, i, j, o] = sum over a, b, c of x[n, i * stride + a * dilation - "
               "pad, ..., c] *\n"
               "filter[a, b, c, o]. Shapes: input [batch, height, width, in], filter [height, "
               "width, in, out] ->\n"
               "[batch, height, width, out]. With an int for the strides: conv2d in weir/nn.h.\n") +
           kConvNotes)
      .type("T", kFloating)
      .input("input", "T")
      .input("filter", "T");
  conv_attrs(op, Trait::contraction);
  return op.output("output", "T")
      .example("[2,5,5,3] [3,3,3,4] ; strides=[1,1,1,1] padding=SAME")
      .example("[1,6,7,2] [2,3,2,3] ; strides=[1,2,2,1] padding=VALID")
      .example("[1,7,7,2] [2,2,2,3] ; strides=[1,1,1,1] padding=SAME dilations=[1,2,2,1]")
      .example("[1,5,5,4] [3,3,2,4] ; strides=[1,1,1,1] padding=SAME")
      .example(
          "[1,4,4,2] [3,3,2,2] ; strides=[1,1,1,1] padding=EXPLICIT "
          "explicit_paddings=[0,0,2,1,0,1,0,0]");
}

OpDef define_conv2d_backprop_input() {
  OpDef op("Conv2DBackpropInput");
  op.api("convolution_2d_input_gradient", "nn")
      .doc(std::string("The gradient of convolution_2d with respect to its input; also the "
                       "transposed convolution.\n"
                       "input_sizes is the shape of that input. Shapes: filter [height, width, in, "
                       "out], out_backprop\n"
                       "[batch, height, width, out] -> input_sizes.\n") +
           kConvNotes)
      .type("T", kFloating)
      .static_operand("input_sizes", {.input = 0})
      .input("filter", "T")
      .input("out_backprop", "T");
  conv_attrs(op, Trait::contraction);
  return op.output("output", "T")
      .example("[3,3,3,4] [2,5,5,4] ; input_sizes=[2,5,5,3] strides=[1,1,1,1] padding=SAME")
      .example("[2,3,2,3] [1,3,3,3] ; input_sizes=[1,6,7,2] strides=[1,2,2,1] padding=VALID");
}

OpDef define_conv2d_backprop_filter() {
  OpDef op("Conv2DBackpropFilter");
  op.api("convolution_2d_filter_gradient", "nn")
      .doc(std::string("The gradient of convolution_2d with respect to its filter. filter_sizes is "
                       "the shape of that filter.\n"
                       "Shapes: input [batch, height, width, in], out_backprop [batch, height, "
                       "width, out] -> filter_sizes.\n") +
           kConvNotes)
      .type("T", kFloating)
      .static_operand("filter_sizes", {.input = 1})
      .input("input", "T")
      .input("out_backprop", "T");
  conv_attrs(op, Trait::none);
  return op.output("output", "T")
      .example("[2,5,5,3] [2,5,5,4] ; filter_sizes=[3,3,3,4] strides=[1,1,1,1] padding=SAME")
      .example("[1,6,7,2] [1,3,3,3] ; filter_sizes=[2,3,2,3] strides=[1,2,2,1] padding=VALID");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/nn.h>

#include "ops/nn/conv_attrs.h"
#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

using infer::WindowAttrs;

/// The three calls that are each other's derivatives.
struct Conv : ConvAttrs {
  using ConvAttrs::ConvAttrs;

  Tensor forward(const Tensor& x, const Tensor& filter) const {
    return convolution_2d(x, filter, strides, padding, paddings, "NHWC", dilations);
  }
  Tensor to_input(const Ints& shape, const Tensor& filter, const Tensor& dy) const {
    return convolution_2d_input_gradient(
        shape, filter, dy, strides, padding, paddings, "NHWC", dilations);
  }
  Tensor to_filter(const Tensor& x, const Ints& shape, const Tensor& dy) const {
    return convolution_2d_filter_gradient(
        shape, x, dy, strides, padding, paddings, "NHWC", dilations);
  }
};

void check_filter(InferContext& c, ShapeView filter, Dim in_channels) {
  for (Dim d : filter.dims()) {
    if (d == Dim(0)) c.fail("the filter is empty", filter.to_string(), "dimensions >= 1");
  }
  if (!filter[2].known() || !in_channels.known()) return;
  const std::int64_t in = in_channels.value(), each = filter[2].value();
  if (in % each != 0)
    c.fail("input channels must be a multiple of the filter's",
           {},
           "here " + std::to_string(in) + " and " + std::to_string(each));
  const std::int64_t groups = in / each;
  if (groups > 0 && filter[3].known() && filter[3].value() % groups != 0)
    c.fail("output channels must be a multiple of the groups",
           {},
           "here " + filter[3].to_string() + " and " + std::to_string(groups));
}

/// The output of a convolution; fails where the operands do not fit.
Shape conv_shape(InferContext& c, const WindowAttrs& a, ShapeView input, ShapeView filter) {
  infer::check_windows(c, a);
  check_filter(c, filter, input[3]);
  return Shape{input[0],
               infer::slide(c, a, 1, input[1], filter[0]),
               infer::slide(c, a, 2, input[2], filter[1]),
               filter[3]};
}

void infer_conv(InferContext& c) {
  infer::require_rank(c, 0, 4);
  infer::require_rank(c, 1, 4);
  c.set(0, conv_shape(c, infer::conv_windows(0), c.shape(0), c.shape(1)));
}

/// Fails unless the convolution of (input, filter) has the shape of out_backprop.
void check_backprop(InferContext& c, ShapeView input, ShapeView filter, ShapeView backprop) {
  const Shape expected = conv_shape(c, infer::conv_windows(1), input, filter);
  for (int i = 0; i < 4; ++i) {
    if (expected[i].known() && backprop[i].known() && expected[i] != backprop[i])
      c.fail("out_backprop has the wrong shape", backprop.to_string(), expected.to_string());
  }
}

void infer_input_gradient(InferContext& c) {
  infer::require_rank(c, 0, 4);
  infer::require_rank(c, 1, 4);
  const Shape out = infer::target_shape(c);
  check_backprop(c, out, c.shape(0), c.shape(1));
  c.set(0, out);
}

void infer_filter_gradient(InferContext& c) {
  infer::require_rank(c, 0, 4);
  infer::require_rank(c, 1, 4);
  const Shape out = infer::target_shape(c);
  check_backprop(c, c.shape(0), out, c.shape(1));
  c.set(0, out);
}

/// 2 flops for each tap of each output.
Cost conv_cost(double outputs,
               ShapeView filter,
               std::span<const SpecView> in,
               std::span<const Spec> out) {
  const double taps =
      double(filter[0].value()) * double(filter[1].value()) * double(filter[2].value());
  const double elements = double(in[0].shape.size() + in[1].shape.size() + out[0].shape.size());
  return {.flops = 2 * outputs * taps, .bytes = elements * double(byte_size(in[0].dtype))};
}

}  // namespace

void implement_conv2d(OpDef& op) {
  op.infer(infer_conv)
      .saves_input({0, 1})
      .cost([](std::span<const SpecView> in, std::span<const Spec> out, std::span<const rt::Attr>) {
        return conv_cost(double(out[0].shape.size()), in[1].shape, in, out);
      })
      .gradient([](GradientContext& g) {
        const Conv conv(g, 0);
        if (g.needs(0)) g.set(0, conv.to_input(g.input_dims(0), g.input(1), g.dy()));
        if (g.needs(1)) g.set(1, conv.to_filter(g.input(0), g.input_dims(1), g.dy()));
      });
}

void implement_conv2d_backprop_input(OpDef& op) {
  op.infer(infer_input_gradient)
      .saves_input({0, 1})
      .cost([](std::span<const SpecView> in, std::span<const Spec> out, std::span<const rt::Attr>) {
        return conv_cost(double(in[1].shape.size()), in[0].shape, in, out);
      })
      .gradient([](GradientContext& g) {
        const Conv conv(g, 1);
        if (g.needs(0)) g.set(0, conv.to_filter(g.dy(), g.input_dims(0), g.input(1)));
        if (g.needs(1)) g.set(1, conv.forward(g.dy(), g.input(0)));
      });
}

void implement_conv2d_backprop_filter(OpDef& op) {
  op.infer(infer_filter_gradient)
      .saves_input({0, 1})
      .cost([](std::span<const SpecView> in, std::span<const Spec> out, std::span<const rt::Attr>) {
        return conv_cost(double(in[1].shape.size()), out[0].shape, in, out);
      })
      .gradient([](GradientContext& g) {
        const Conv conv(g, 1);
        if (g.needs(0)) g.set(0, conv.to_input(g.input_dims(0), g.dy(), g.input(1)));
        if (g.needs(1)) g.set(1, conv.forward(g.input(0), g.dy()));
      });
}

}  // namespace weir::ops
#endif
