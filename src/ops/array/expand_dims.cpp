/// Axes of length 1: added and removed.
#include "ops/define.h"

namespace weir::ops {

OpDef define_expand_dims() {
  return OpDef("ExpandDims")
      .api("expand_dims", "array")
      .doc(
          "The same elements with a new axis of length 1 at `axis`, which may be negative: -1 "
          "appends it.\n"
          "Errors: axis outside [-(rank + 1), rank].")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("axis", {.input = 1, .scalar = true, .type_attr = "Tdim"})
      .output("output", "T")
      .stored_as("x", "input")
      .stored_as("axis", "dim")
      .traits(Trait::view)
      .example("[2,3] ; axis=0")
      .example("[2,3] ; axis=-1")
      .example("[] ; axis=0");
}

OpDef define_squeeze() {
  return OpDef("Squeeze")
      .api("squeeze", "array")
      .doc(
          "The same elements without the axes named, which must have length 1; without names, "
          "without any axis of\n"
          "length 1. Errors: an axis out of range, or of another length.")
      .type("T", kAnyType)
      .input("x", "T")
      .attr("squeeze_dims", std::vector<std::int64_t>{})
      .output("output", "T")
      .stored_as("x", "input")
      .traits(Trait::view)
      .example("[2,1,3,1]")
      .example("[2,1,3,1] ; squeeze_dims=[1]")
      .example("[1,0] ; squeeze_dims=[-2]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

void restore_shape(GradientContext& g) {
  g.set(0, reshape(g.dy(), g.input_dims(0)));
}

void infer_expand_dims(InferContext& c) {
  const ShapeView in = c.shape(0);
  const auto axis = array::axis(c, 0, in.rank() + 1);
  if (!axis) return c.set(0, array::open_shape(in.rank() + 1));
  Shape out;
  for (int i = 0; i <= in.rank(); ++i)
    out.push_back(i < *axis ? in[i] : i == *axis ? Dim(1) : in[i - 1]);
  c.set(0, out);
}

/// Without names, an unknown dimension may or may not go.
void infer_squeeze_all(InferContext& c) {
  Shape out;
  for (Dim d : c.shape(0).dims()) {
    if (!d.known()) return c.set(0, Shape::unknown_rank());
    if (d != Dim(1)) out.push_back(d);
  }
  c.set(0, out);
}

void infer_squeeze(InferContext& c) {
  const ShapeView in = c.shape(0);
  const auto axes = *c.ints(0);
  if (axes.empty()) return infer_squeeze_all(c);
  bool dropped[kMaxRank + 1] = {};
  for (std::int64_t a : axes) {
    const int axis = c.axis(a, in.rank());
    if (in[axis].known() && in[axis] != Dim(1))
      c.fail("only an axis of length 1 can be removed",
             "axis " + std::to_string(a) + " of " + c.describe_inputs());
    dropped[axis] = true;
  }
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (!dropped[i]) out.push_back(in[i]);
  }
  c.set(0, out);
}

}  // namespace

void implement_expand_dims(OpDef& op) {
  op.infer(infer_expand_dims).gradient(restore_shape);
}

void implement_squeeze(OpDef& op) {
  op.infer(infer_squeeze).gradient(restore_shape);
}

}  // namespace weir::ops
#endif
