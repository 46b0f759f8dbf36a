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

OpDef define_shape_n() {
  return OpDef("ShapeN")
      .doc(
          "The dimensions of each operand, in one node.\n"
          "Errors: num is not the number of operands.")
      .type("T", kAnyType)
      .inputs("x", "T", "N")
      .attr("num", rt::Attr::Kind::integer)
      .type_attr("out_type", kIndex, "out_type", DType::int32)
      .outputs("output", "out_type", "num")
      .stored_as("x", "input")
      .stored_as("num", "N")
      .traits(Trait::shape_only | Trait::no_gradient)
      .example("[2,3] [4] [] ; num=3")
      .example("[2,3] ; num=1 out_type=int64");
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

void implement_shape_n(OpDef& op) {
  op.infer([](InferContext& c) {
    if (c.attr(0).i != c.inputs())
      c.fail("num is not the number of operands",
             std::to_string(c.attr(0).i),
             std::to_string(c.inputs()));
    for (int i = 0; i < c.inputs(); ++i)
      c.set(i, Shape{c.shape(i).rank()});
  });
}

void implement_size(OpDef& op) {
  op.infer(infer::scalar);
}

void implement_rank(OpDef& op) {
  op.infer(infer::scalar);
}

}  // namespace weir::ops
#endif
