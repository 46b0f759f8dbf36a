/// Ops whose results have as many elements as their data say.
#include "ops/define.h"

namespace weir::ops {

OpDef define_where() {
  return OpDef("Where")
      .api("where", "array")
      .doc(
          "The coordinates of the elements that are not zero, in row-major order: int64 [n, rank].")
      .type("T", kPlain)
      .input("condition", "T")
      .output("index", DType::int64)
      .stored_as("condition", "input")
      .traits(Trait::data_shape | Trait::no_gradient)
      .example("b[2,3]")
      .example("i32[4]:0..1")
      .example("b[0,3]");
}

OpDef define_unique() {
  return OpDef("Unique")
      .api("unique", "array")
      .doc(
          "The distinct elements of a vector in order of first appearance, and for each element "
          "the position of its\n"
          "value among them. Every NaN is distinct.\nErrors: rank other than 1.")
      .type("T", kAnyType)
      .input("x", "T")
      .type_attr("out_idx", kIndex, "out_idx", DType::int32)
      .output("y", "T")
      .output("idx", "out_idx")
      .traits(Trait::data_shape | Trait::no_gradient)
      .example("i32[8]:0..3")
      .example("f32[0]");
}

OpDef define_unique_with_counts() {
  return OpDef("UniqueWithCounts")
      .api("unique_with_counts", "array")
      .doc("`unique`, and how often each distinct element appears.\nErrors: rank other than 1.")
      .type("T", kAnyType)
      .input("x", "T")
      .type_attr("out_idx", kIndex, "out_idx", DType::int32)
      .output("y", "T")
      .output("idx", "out_idx")
      .output("count", "out_idx")
      .traits(Trait::data_shape | Trait::no_gradient)
      .example("i32[8]:0..3");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY

namespace weir::ops {
namespace {

void infer_unique(InferContext& c) {
  if (c.shape(0).rank() != 1)
    c.fail("the operand must be a vector", {}, "rank 1", "reshape it to {-1} first");
  for (int o = 0; o < c.outputs(); ++o)
    c.set(o, Shape{Dim::unknown()});
  c.set(1, c.shape(0).to_shape());
}

}  // namespace

void implement_unique(OpDef& op) {
  op.infer(infer_unique);
}

void implement_unique_with_counts(OpDef& op) {
  op.infer(infer_unique);
}

void implement_where(OpDef& op) {
  op.infer([](InferContext& c) { c.set(0, Shape{Dim::unknown(), c.shape(0).rank()}); });
}

}  // namespace weir::ops
#endif
