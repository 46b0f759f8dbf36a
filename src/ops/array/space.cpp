/// Blocks of pixels traded for channels. Layout NHWC.
#include "ops/define.h"

namespace weir::ops {

OpDef define_space_to_depth() {
  return OpDef("SpaceToDepth")
      .api("space_to_depth", "array")
      .doc(
          "Blocks of block_size x block_size pixels become channels: [n, h, w, c] -> [n, h / b, w "
          "/ b, c b b].\n"
          "Errors: rank other than 4; block_size < 1; height or width that it does not divide.")
      .type("T", kAnyType)
      .input("x", "T")
      .attr("block_size", rt::Attr::Kind::integer)
      .attr("data_format", "NHWC", {"NHWC"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[1,4,6,2] ; block_size=2");
}

OpDef define_depth_to_space() {
  return OpDef("DepthToSpace")
      .api("depth_to_space", "array")
      .doc(
          "Channels become blocks of block_size x block_size pixels: [n, h, w, c b b] -> [n, h b, "
          "w b, c].\n"
          "Errors: rank other than 4; block_size < 1; channels that its square does not divide.")
      .type("T", kAnyType)
      .input("x", "T")
      .attr("block_size", rt::Attr::Kind::integer)
      .attr("data_format", "NHWC", {"NHWC"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[1,2,3,8] ; block_size=2");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

std::int64_t block_size(InferContext& c) {
  if (c.shape(0).rank() != 4) c.fail("images have rank 4", {}, "[batch, height, width, channels]");
  const std::int64_t b = c.attr(0).i;
  if (b < 1 || b > (1 << 15))
    c.fail("block_size out of range", std::to_string(b), "block_size in [1, 32768]");
  return b;
}

Dim divided(InferContext& c, Dim d, std::int64_t by, const char* what) {
  if (!d.known()) return by == 1 ? d : Dim::unknown();
  if (d.value() % by != 0)
    c.fail(std::string(what) + " is not a multiple of " + std::to_string(by));
  return Dim(d.value() / by);
}

Dim times(InferContext& c, Dim d, std::int64_t by) {
  std::int64_t product = 0;
  if (!d.known()) return by == 1 ? d : Dim::unknown();
  if (__builtin_mul_overflow(d.value(), by, &product)) c.fail("the result is too large");
  return Dim(product);
}

void infer_space_to_depth(InferContext& c) {
  const std::int64_t b = block_size(c);
  const ShapeView in = c.shape(0);
  c.set(0,
        Shape{in[0],
              divided(c, in[1], b, "the height"),
              divided(c, in[2], b, "the width"),
              times(c, in[3], b * b)});
}

void infer_depth_to_space(InferContext& c) {
  const std::int64_t b = block_size(c);
  const ShapeView in = c.shape(0);
  c.set(0,
        Shape{in[0],
              times(c, in[1], b),
              times(c, in[2], b),
              divided(c, in[3], b * b, "the number of channels")});
}

}  // namespace

void implement_space_to_depth(OpDef& op) {
  op.infer(infer_space_to_depth).gradient([](GradientContext& g) {
    g.set(0, depth_to_space(g.dy(), g.attr(0).i));
  });
}

void implement_depth_to_space(OpDef& op) {
  op.infer(infer_depth_to_space).gradient([](GradientContext& g) {
    g.set(0, space_to_depth(g.dy(), g.attr(0).i));
  });
}

}  // namespace weir::ops
#endif
