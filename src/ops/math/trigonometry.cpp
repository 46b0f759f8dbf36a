/// Trigonometric functions (radians), their inverses, and rounding.
#include "ops/math/schema.h"

namespace weir::ops {

OpDef define_sin() {
  return schema::unary("Sin", "sin", kFloating, "Sine of x radians.").example("[2,3]");
}
OpDef define_cos() {
  return schema::unary("Cos", "cos", kFloating, "Cosine of x radians.").example("[2,3]");
}
OpDef define_tan() {
  return schema::unary("Tan", "tan", kFloating, "Tangent of x radians.").example("[2,3]:-1..1");
}
OpDef define_asin() {
  return schema::unary("Asin", "asin", kFloating, "Inverse sine, in radians; NaN beyond [-1, 1].")
      .example("[2,3]:-0.9..0.9");
}
OpDef define_acos() {
  return schema::unary("Acos", "acos", kFloating, "Inverse cosine, in radians; NaN beyond [-1, 1].")
      .example("[2,3]:-0.9..0.9");
}
OpDef define_atan() {
  return schema::unary("Atan", "atan", kFloating, "Inverse tangent, in radians.").example("[2,3]");
}
OpDef define_atan2() {
  return schema::binary("Atan2",
                        "atan2",
                        kFloating,
                        "The angle, in radians, of the point with ordinate a, abscissa b.")
      .example("[2,3]:0.5..2 [2,3]:0.5..2")
      .example("[4,1]:0.5..2 [3]:-2..-0.5");
}
OpDef define_asinh() {
  return schema::unary("Asinh", "asinh", kFloating, "Inverse hyperbolic sine.").example("[2,3]");
}
OpDef define_acosh() {
  return schema::unary("Acosh", "acosh", kFloating, "Inverse hyperbolic cosine; NaN below 1.")
      .example("[2,3]:1.5..4");
}
OpDef define_atanh() {
  return schema::unary(
             "Atanh", "atanh", kFloating, "Inverse hyperbolic tangent; NaN beyond [-1, 1].")
      .example("[2,3]:-0.9..0.9");
}

OpDef define_floor() {
  return schema::unary("Floor", "floor", kFloating, "The largest whole number not above x.")
      .traits(Trait::idempotent | Trait::no_gradient)
      .example("[2,3]:-9..9");
}
OpDef define_ceil() {
  return schema::unary("Ceil", "ceil", kFloating, "The smallest whole number not below x.")
      .traits(Trait::idempotent | Trait::no_gradient)
      .example("[2,3]:-9..9");
}
OpDef define_round() {
  return schema::unary(
             "Round", "round", kReal, "The nearest whole number; halves go to the even one.")
      .traits(Trait::idempotent | Trait::no_gradient)
      .example("[2,3]:-9..9");
}
OpDef define_rint() {
  return schema::unary(
             "Rint", "rint", kFloating, "The nearest whole number; halves go to the even one.")
      .traits(Trait::idempotent | Trait::no_gradient)
      .example("[2,3]:-9..9");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/math.h>

namespace weir::ops {

void implement_sin(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * cos(g.input(0)));
  });
}
void implement_cos(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, -g.dy() * sin(g.input(0)));
  });
}
void implement_tan(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * (square(g.output()) + 1));
  });
}
void implement_asin(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * rsqrt(1 - square(g.input(0))));
  });
}
void implement_acos(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, -g.dy() * rsqrt(1 - square(g.input(0))));
  });
}
void implement_atan(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() / (square(g.input(0)) + 1));
  });
}
void implement_atan2(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor y = g.input(0), x = g.input(1);
    const Tensor by = g.dy() / (square(x) + square(y));
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, x * by));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, -y * by));
  });
}
void implement_asinh(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * rsqrt(square(g.input(0)) + 1));
  });
}
void implement_acosh(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * rsqrt(square(g.input(0)) - 1));
  });
}
void implement_atanh(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() / (1 - square(g.input(0))));
  });
}

void implement_floor(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_ceil(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_round(OpDef& op) {
  op.infer(infer::elementwise);
}
void implement_rint(OpDef& op) {
  op.infer(infer::elementwise);
}

}  // namespace weir::ops
#endif
