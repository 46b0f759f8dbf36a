/// What a tensor's shape is, as a tensor.
#include "ops/define.h"

namespace weir::ops {

OpDef define_shape() {
  return OpDef("Shape")
      .api("shape", "array")
      .doc("The dimensions of the operand, as a vector.")
      .type("T", kAnyType)
      .input("x", "T")
      .type_attr("out_type", kIndex, "out_type", DType::int32)
      .output("output", "out_type")
      .stored_as("x", "input")
      .traits(Trait::shape_only | Trait::no_gradient)
      .example("[2,3]")
      .example("[] ; out_type=int64");
}

OpDef define_size() {
  return OpDef("Size")
      .api("size", "array")
      .doc("The number of elements of the operand, as a scalar.")
      .type("T", kAnyType)
      .input("x", "T")
      .type_attr("out_type", kIndex, "out_type", DType::int32)
      .output("output", "out_type")
      .stored_as("x", "input")
      .traits(Trait::shape_only | Trait::no_gradient)
      .example("[2,3]")
      .example("[0,3] ; out_type=int64");
}

OpDef define_rank() {
  return OpDef("Rank")
      .api("rank", "array")
      .doc("The number of axes of the operand, as a scalar.")
      .type("T", kAnyType)
      .input("x", "T")
      .output("output", DType::int32)
      .stored_as("x", "input")
      .traits(Trait::shape_only | Trait::no_gradient)
      .example("[2,3]")
      .example("[]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY

namespace weir::ops {

void implement_shape(OpDef& op) {
  op.infer([](InferContext& c) { c.set(0, Shape{c.shape(0).rank()}); });
}

void implement_size(OpDef& op) {
  op.infer(infer::scalar);
}

void implement_rank(OpDef& op) {
  op.infer(infer::scalar);
}

}  // namespace weir::ops
#endif
