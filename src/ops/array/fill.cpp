/// Tensors made of one value.
#include "ops/define.h"

namespace weir::ops {

OpDef define_fill() {
  return OpDef("Fill")
      .api("fill", "array")
      .doc(
          "A tensor of shape `dims` whose elements are all `value`, a scalar.\n"
          "Errors: a negative dimension; a value that is no scalar.")
      .type("T", kAnyType)
      .static_operand("dims", {.input = 0, .type_attr = "index_type"})
      .input("value", "T")
      .output("output", "T")
      .example("[] ; dims=[2,3]")
      .example("[] ; dims=[]")
      .example("[] ; dims=[2,0]");
}

OpDef define_zeros_like() {
  return OpDef("ZerosLike")
      .api("zeros_like", "array")
      .doc("Zeros (false, empty strings) in the shape and dtype of the operand.")
      .type("T", kAnyType)
      .input("x", "T")
      .output("y", "T")
      .traits(Trait::shape_only | Trait::no_gradient)
      .example("[2,3]")
      .example("[0]");
}

OpDef define_ones_like() {
  return OpDef("OnesLike")
      .api("ones_like", "array")
      .doc("Ones (true) in the shape and dtype of the operand.")
      .type("T", kPlain)
      .input("x", "T")
      .output("y", "T")
      .traits(Trait::shape_only | Trait::no_gradient)
      .example("[2,3]")
      .example("[]");
}

OpDef define_one_hot() {
  return OpDef("OneHot")
      .api("one_hot", "array")
      .doc(
          "For each index a vector of length `depth` along the new axis `axis`: on_value at the "
          "index, off_value\n"
          "elsewhere. An index outside [0, depth) gives a vector of off_value.\n"
          "Errors: a negative depth; axis outside [-1, rank]; on_value or off_value that is no "
          "scalar.")
      .type("TI", DType::uint8 | DType::int8 | DType::int32 | DType::int64)
      .type("T", kAnyType)
      .input("indices", "TI")
      .static_operand("depth", {.input = 1, .scalar = true})
      .input("on_value", "T")
      .input("off_value", "T")
      .attr("axis", -1)
      .output("output", "T")
      .traits(Trait::no_gradient)
      .example("i32[2,3]:0..4 f32[] f32[] ; depth=4")
      .example("i64[3]:-1..5 [] [] ; depth=4 axis=0")
      .example("i32[2] [] [] ; depth=0");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

void infer_fill(InferContext& c) {
  array::require_scalar(c, 0);
  const auto dims = c.ints(0);
  if (!dims) return c.set(0, array::open_shape(c.ints_count(0)));
  for (std::int64_t d : *dims) {
    if (d < 0) c.fail("a dimension is negative", Shape(*dims).to_string(), "dimensions >= 0");
  }
  c.set(0, Shape(*dims));
}

void infer_one_hot(InferContext& c) {
  array::require_scalar(c, 1);
  array::require_scalar(c, 2);
  const auto depth = array::scalar(c, 0);
  if (depth && *depth < 0) c.fail("depth is negative", std::to_string(*depth), "depth >= 0");
  const ShapeView in = c.shape(0);
  const std::int64_t at = c.attr(1).i;
  if (at < -1 || at > in.rank())
    c.fail("axis out of range",
           "axis " + std::to_string(at) + " with " + c.describe_inputs(),
           "an axis in [-1, " + std::to_string(in.rank()) + "]");
  const int axis = at < 0 ? in.rank() : int(at);
  Shape out;
  for (int i = 0; i <= in.rank(); ++i)
    out.push_back(i < axis ? in[i] : i > axis ? in[i - 1] : depth ? Dim(*depth) : Dim::unknown());
  c.set(0, out);
}

}  // namespace

void implement_fill(OpDef& op) {
  op.infer(infer_fill).gradient([](GradientContext& g) { g.set(0, sum(g.dy())); });
}

void implement_zeros_like(OpDef& op) {
  op.infer(infer::same_as_first);
}

void implement_ones_like(OpDef& op) {
  op.infer(infer::same_as_first);
}

void implement_one_hot(OpDef& op) {
  op.infer(infer_one_hot);
}

}  // namespace weir::ops
#endif
