/// Pooling of images [batch, height, width, channels]. Padding never counts: a maximum ignores it,
/// an average divides by the cells of the window that exist.
#include "ops/define.h"

namespace weir::ops {
namespace {

OpDef& pool_attrs(OpDef& op, bool explicit_paddings) {
  op.attr("ksize", rt::Attr::Kind::ints).attr("strides", rt::Attr::Kind::ints);
  if (explicit_paddings) {
    op.attr("padding", "VALID", {"VALID", "SAME", "EXPLICIT"})
        .attr("explicit_paddings", std::vector<std::int64_t>{});
  } else {
    op.attr("padding", "VALID", {"VALID", "SAME"});
  }
  return op.attr("data_format", "NHWC", {"NHWC"});
}

constexpr const char* kPoolNotes =
    "ksize and strides are [1, height, width, 1]; padding is VALID or SAME (an odd cell goes to "
    "the end).\n"
    "Errors: a rank other than 4; a size or stride below 1; a window larger than the input.";

constexpr const char* kPoolExample = "ksize=[1,2,2,1] strides=[1,2,2,1] padding=VALID";

}  // namespace

OpDef define_max_pool() {
  OpDef op("MaxPool");
  op.api("max_pool", "nn")
      .doc(std::string("The largest value of each window; NaN if one is NaN. Shapes: [batch, "
                       "height, width, channels] -> the\n"
                       "same with fewer rows and columns. With an int for the sizes: max_pool2d in "
                       "weir/nn.h.\n") +
           kPoolNotes)
      .type("T", kReal)
      .input("input", "T");
  return pool_attrs(op, true)
      .output("output", "T")
      .example(std::string("[2,4,6,3] ; ") + kPoolExample)
      .example("[1,5,5,2] ; ksize=[1,3,3,1] strides=[1,2,2,1] padding=SAME");
}

OpDef define_max_pool_grad() {
  OpDef op("MaxPoolGrad");
  op.api("max_pool_gradient", "nn")
      .doc(
          "The gradient of max_pool: grad goes to the first cell of each window that holds the "
          "maximum.\n"
          "Shapes: orig_input as the input of max_pool, orig_output and grad as its output -> as "
          "orig_input.")
      .type("T", kReal)
      .input("orig_input", "T")
      .input("orig_output", "T")
      .input("grad", "T");
  return pool_attrs(op, true)
      .output("output", "T")
      .traits(Trait::contraction)
      .example(std::string("[2,4,6,3] [2,2,3,3] [2,2,3,3] ; ") + kPoolExample);
}

OpDef define_max_pool_grad_grad() {
  OpDef op("MaxPoolGradGrad");
  op.api("max_pool_second_gradient", "nn")
      .doc(
          "The gradient of max_pool_gradient with respect to grad: of each window, the element of "
          "grad where orig_input has\n"
          "its first maximum. Shapes: orig_input and grad as the input of max_pool, orig_output as "
          "its output -> as\n"
          "orig_output.")
      .type("T", kReal)
      .input("orig_input", "T")
      .input("orig_output", "T")
      .input("grad", "T");
  return pool_attrs(op, false)
      .output("output", "T")
      .example(std::string("[2,4,6,3] [2,2,3,3] [2,4,6,3] ; ") + kPoolExample);
}

OpDef define_avg_pool() {
  OpDef op("AvgPool");
  op.api("avg_pool", "nn")
      .doc(std::string(
               "The mean of each window. With an int for the sizes: avg_pool2d in weir/nn.h.\n") +
           kPoolNotes)
      .type("T", kFloating)
      .input("value", "T");
  return pool_attrs(op, false)
      .output("output", "T")
      .example(std::string("[2,4,6,3] ; ") + kPoolExample)
      .example("[1,5,5,2] ; ksize=[1,3,3,1] strides=[1,2,2,1] padding=SAME");
}

OpDef define_avg_pool_grad() {
  OpDef op("AvgPoolGrad");
  op.api("avg_pool_gradient", "nn")
      .doc(
          "The gradient of avg_pool, whose input has the shape orig_input_shape: each element of "
          "grad is spread evenly over\n"
          "its window.")
      .type("T", kFloating)
      .static_operand("orig_input_shape", {.input = 0})
      .input("grad", "T");
  return pool_attrs(op, false)
      .output("output", "T")
      .example(std::string("[2,2,3,3] ; orig_input_shape=[2,4,6,3] ") + kPoolExample);
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/nn.h>

#include "ops/nn/conv_attrs.h"
#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

constexpr infer::WindowAttrs kMaxWindows = {
    .sizes = 0, .strides = 1, .padding = 2, .explicit_paddings = 3};
constexpr infer::WindowAttrs kAverageWindows = {.sizes = 0, .strides = 1, .padding = 2};
constexpr infer::WindowAttrs kSpreadWindows = {.sizes = 1, .strides = 2, .padding = 3};

Shape pooled(InferContext& c, const infer::WindowAttrs& a, ShapeView in) {
  infer::check_windows(c, a);
  const std::int64_t* sizes = c.attr(a.sizes).ints;
  return Shape{in[0],
               infer::slide(c, a, 1, in[1], Dim(sizes[1])),
               infer::slide(c, a, 2, in[2], Dim(sizes[2])),
               in[3]};
}

void same_shape(InferContext& c, const Shape& expected, ShapeView got, const char* what) {
  if (got.rank() != expected.rank())
    c.fail(std::string(what) + " has the wrong rank", got.to_string(), expected.to_string());
  for (int i = 0; i < got.rank(); ++i) {
    if (expected[i].known() && got[i].known() && expected[i] != got[i])
      c.fail(std::string(what) + " has the wrong shape", got.to_string(), expected.to_string());
  }
}

void infer_max_pool(InferContext& c) {
  infer::require_rank(c, 0, 4);
  c.set(0, pooled(c, kMaxWindows, c.shape(0)));
}

void infer_average(InferContext& c) {
  infer::require_rank(c, 0, 4);
  c.set(0, pooled(c, kAverageWindows, c.shape(0)));
}

void infer_max_gradient(InferContext& c) {
  infer::require_rank(c, 0, 4);
  const Shape out = pooled(c, kMaxWindows, c.shape(0));
  same_shape(c, out, c.shape(1), "orig_output");
  same_shape(c, out, c.shape(2), "grad");
  c.set(0, c.shape(0).to_shape());
}

void infer_max_second_gradient(InferContext& c) {
  infer::require_rank(c, 0, 4);
  const Shape out = pooled(c, kAverageWindows, c.shape(0));
  same_shape(c, out, c.shape(1), "orig_output");
  same_shape(c, c.shape(0).to_shape(), c.shape(2), "grad");
  c.set(0, out);
}

void infer_spread(InferContext& c) {
  const Shape in = infer::target_shape(c);
  same_shape(c, pooled(c, kSpreadWindows, in), c.shape(0), "grad");
  c.set(0, in);
}

/// The windows of a call, for the calls that are its derivatives.
struct Pool {
  std::vector<std::int64_t> sizes, strides, paddings;
  std::string padding;

  Pool(const GradientContext& g, int first)
      : sizes(list(g.attr(first))),
        strides(list(g.attr(first + 1))),
        padding(g.attr(first + 2).s, g.attr(first + 2).count) {
    if (g.attr(first + 3).kind == rt::Attr::Kind::ints) paddings = list(g.attr(first + 3));
  }
  static std::vector<std::int64_t> list(const rt::Attr& a) { return {a.ints, a.ints + a.count}; }
};

}  // namespace

void implement_max_pool(OpDef& op) {
  op.infer(infer_max_pool).saves_input({0}).saves_output({0}).gradient([](GradientContext& g) {
    const Pool p(g, 0);
    g.set(0,
          max_pool_gradient(
              g.input(0), g.output(), g.dy(), p.sizes, p.strides, p.padding, p.paddings));
  });
}

// Which cell holds the maximum does not change with small changes of the input: only `grad` has a
// derivative.
void implement_max_pool_grad(OpDef& op) {
  op.infer(infer_max_gradient)
      .saves_input({0, 1})
      .cost([](std::span<const SpecView> in, std::span<const Spec>, std::span<const rt::Attr>) {
        const double cells = double(in[0].shape.size()), windows = double(in[2].shape.size());
        return Cost{.flops = cells,
                    .bytes = (2 * cells + windows) * double(byte_size(in[0].dtype))};
      })
      .gradient([](GradientContext& g) {
        const Pool p(g, 0);
        if (g.needs(2))
          g.set(2,
                max_pool_second_gradient(
                    g.input(0), g.input(1), g.dy(), p.sizes, p.strides, p.padding));
      });
}

void implement_max_pool_grad_grad(OpDef& op) {
  op.infer(infer_max_second_gradient).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Pool p(g, 0);
    if (g.needs(2))
      g.set(2, max_pool_gradient(g.input(0), g.input(1), g.dy(), p.sizes, p.strides, p.padding));
  });
}

void implement_avg_pool(OpDef& op) {
  op.infer(infer_average).gradient([](GradientContext& g) {
    const Pool p(g, 0);
    g.set(0, avg_pool_gradient(g.input_dims(0), g.dy(), p.sizes, p.strides, p.padding));
  });
}

void implement_avg_pool_grad(OpDef& op) {
  op.infer(infer_spread).gradient([](GradientContext& g) {
    const Pool p(g, 1);
    g.set(0, avg_pool(g.dy(), p.sizes, p.strides, p.padding));
  });
}

}  // namespace weir::ops
#endif
