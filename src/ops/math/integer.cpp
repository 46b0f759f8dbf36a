/// Division that rounds, its remainders, and bits.
#include "ops/math/schema.h"

namespace weir::ops {

OpDef define_floor_div() {
  return schema::binary(
             "FloorDiv",
             "floor_divide",
             kReal,
             "floor(a / b), element-wise, with broadcasting: rounds toward minus infinity.\n"
             "Errors: an integer divided by zero. The lowest integer divided by -1 wraps.")
      .traits(Trait::no_gradient)
      .example("[2,3]:1..50 [2,3]:1..5")
      .example("[4,1]:1..50 [3]:1..5");
}
OpDef define_floor_mod() {
  return schema::binary("FloorMod",
                        "floormod",
                        kReal,
                        "The remainder of floor_divide: it has the sign of b, as Python's %.\n"
                        "Errors: an integer divided by zero.")
      .example("[2,3]:1..50 [2,3]:60..70")
      .example("[4,1]:1..50 [3]:60..70");
}
OpDef define_truncate_div() {
  return schema::binary(
             "TruncateDiv",
             "truncate_divide",
             kInteger,
             "a / b rounded toward zero, as C divides integers.\nErrors: division by zero.")
      .example("[2,3]:1..50 [2,3]:1..5");
}
OpDef define_truncate_mod() {
  return schema::binary(
             "TruncateMod",
             "truncatemod",
             kReal,
             "The remainder of truncate_divide: it has the sign of a, as C's % and fmod.\n"
             "Errors: an integer divided by zero.")
      .example("[2,3]:1..50 [2,3]:60..70");
}

OpDef define_bitwise_and() {
  return schema::binary("BitwiseAnd", "bitwise_and", kInteger, "The bits that both have.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[4,1] [3]");
}
OpDef define_bitwise_or() {
  return schema::binary("BitwiseOr", "bitwise_or", kInteger, "The bits that either has.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]");
}
OpDef define_bitwise_xor() {
  return schema::binary("BitwiseXor", "bitwise_xor", kInteger, "The bits that one of the two has.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]");
}
OpDef define_invert() {
  return schema::unary("Invert", "invert", kInteger, "All bits flipped.")
      .traits(Trait::involution)
      .example("[2,3]");
}
OpDef define_left_shift() {
  return schema::binary("LeftShift",
                        "left_shift",
                        kInteger,
                        "a shifted left by b bits; b is limited to [0, bits - 1].")
      .example("[2,3]:0..9 [2,3]:0..7");
}
OpDef define_right_shift() {
  return schema::binary(
             "RightShift",
             "right_shift",
             kInteger,
             "a shifted right by b bits, keeping its sign; b is limited to [0, bits - 1].")
      .example("[2,3]:0..99 [2,3]:0..7");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/math.h>

namespace weir::ops {

void implement_floor_div(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_floor_mod(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, g.dy()));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, -g.dy() * floor_divide(g.input(0), g.input(1))));
  });
}
void implement_truncate_div(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_truncate_mod(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, g.dy()));
    if (!g.needs(1)) return;
    const Tensor a = g.input(0), b = g.input(1);
    const Tensor whole = (a - truncatemod(a, b)) / b;
    g.set(1, unbroadcast(g, 1, -g.dy() * whole));
  });
}
void implement_bitwise_and(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_bitwise_or(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_bitwise_xor(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_invert(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_left_shift(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_right_shift(OpDef& op) {
  op.infer(infer::elementwise);
}

}  // namespace weir::ops
#endif
