/// Comparisons, questions, logic, choice.
#include "ops/math/schema.h"

namespace weir::ops {

OpDef define_equal() {
  return schema::comparison("Equal", "equal", kAnyType, "a == b, element-wise; NaN equals nothing.")
      .traits(Trait::commutative);
}
OpDef define_not_equal() {
  return schema::comparison("NotEqual", "not_equal", kAnyType, "a != b, element-wise.")
      .traits(Trait::commutative);
}
OpDef define_less() {
  return schema::comparison("Less", "less", kReal, "a < b, element-wise.");
}
OpDef define_less_equal() {
  return schema::comparison("LessEqual", "less_equal", kReal, "a <= b, element-wise.");
}
OpDef define_greater() {
  return schema::comparison("Greater", "greater", kReal, "a > b, element-wise.");
}
OpDef define_greater_equal() {
  return schema::comparison("GreaterEqual", "greater_equal", kReal, "a >= b, element-wise.");
}

OpDef define_is_nan() {
  return schema::predicate("IsNan", "is_nan", kFloating, "True where x is not a number.")
      .example("[2,3]");
}
OpDef define_is_inf() {
  return schema::predicate("IsInf", "is_inf", kFloating, "True where x is infinite.")
      .example("[2,3]");
}
OpDef define_is_finite() {
  return schema::predicate(
             "IsFinite", "is_finite", kFloating, "True where x is neither infinite nor NaN.")
      .example("[2,3]");
}

OpDef define_logical_and() {
  return schema::binary("LogicalAnd", "logical_and", DType::boolean, "a and b, element-wise.")
      .traits(Trait::commutative | Trait::no_gradient)
      .example("[4] [4]")
      .example("[2,1] [3]");
}
OpDef define_logical_or() {
  return schema::binary("LogicalOr", "logical_or", DType::boolean, "a or b, element-wise.")
      .traits(Trait::commutative | Trait::no_gradient)
      .example("[4] [4]")
      .example("[2,1] [3]");
}
OpDef define_logical_xor() {
  return schema::binary("LogicalXor", "logical_xor", DType::boolean, "True where a and b differ.")
      .traits(Trait::commutative | Trait::no_gradient)
      .example("[4] [4]");
}
OpDef define_logical_not() {
  return schema::unary("LogicalNot", "logical_not", DType::boolean, "not x, element-wise.")
      .traits(Trait::involution | Trait::no_gradient)
      .example("[4]");
}

OpDef define_select() {
  return OpDef("SelectV2")
      .api("where", "math")
      .doc(
          "a where condition is true, else b; the three broadcast together.\n"
          "Both branches are computed: a NaN in the gradient of the one that was not taken stays "
          "NaN.")
      .type("T", kAnyType)
      .input("condition", DType::boolean)
      .input("a", "T")
      .input("b", "T")
      .output("output", "T")
      .stored_as("a", "t")
      .stored_as("b", "e")
      .traits(Trait::elementwise)
      .example("bool[2,3] [2,3] [2,3]")
      .example("bool[2,1] [3] []");
}

OpDef define_clip() {
  return OpDef("ClipByValue")
      .api("clip_by_value", "math")
      .doc(
          "x limited to [low, high], which broadcast to the shape of x. NaN stays NaN.\n"
          "Errors: low or high does not broadcast to the shape of x.")
      .type("T", kReal)
      .input("x", "T")
      .input("low", "T")
      .input("high", "T")
      .output("output", "T")
      .stored_as("x", "t")
      .stored_as("low", "clip_value_min")
      .stored_as("high", "clip_value_max")
      .traits(Trait::elementwise | Trait::idempotent)
      .example("[2,3]:0..10 []:3..4 []:6..7")
      .example("[2,3]:0..10 [3]:1..2 [2,1]:8..9");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/math.h>

namespace weir::ops {
namespace {

void infer_clip(InferContext& c) {
  const ShapeView x = c.shape(0);
  Shape shape = x.to_shape();
  for (int i = 1; i < 3; ++i)
    shape = infer::broadcast(c, shape, c.shape(i));
  bool same = shape.rank() == x.rank();
  for (int i = 0; same && i < x.rank(); ++i)
    same = !x[i].known() || shape[i] == x[i];
  if (!same)
    c.fail("low and high must broadcast to the shape of x", {}, "a result of the shape of x");
  c.set(0, x.to_shape());
}

}  // namespace

void implement_equal(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_not_equal(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_less(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_less_equal(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_greater(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_greater_equal(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_is_nan(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_is_inf(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_is_finite(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_logical_and(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_logical_or(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_logical_xor(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_logical_not(OpDef& op) {
  op.infer(infer::elementwise);
}

void implement_select(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, where(g.input(0), g.dy(), 0)));
    if (g.needs(2)) g.set(2, unbroadcast(g, 2, where(g.input(0), 0, g.dy())));
  });
}

void implement_clip(OpDef& op) {
  op.infer(infer_clip).saves_input({0, 1, 2}).gradient([](GradientContext& g) {
    const Tensor below = g.input(0)<g.input(1), above = g.input(0)> g.input(2);
    if (g.needs(0)) g.set(0, where(below | above, 0, g.dy()));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, where(below, g.dy(), 0)));
    if (g.needs(2)) g.set(2, unbroadcast(g, 2, where(above, g.dy(), 0)));
  });
}

}  // namespace weir::ops
#endif
