/// Roots, exponentials, logarithms.
#include "ops/math/schema.h"

namespace weir::ops {

OpDef define_sqrt() {
  return schema::unary(
             "Sqrt", "sqrt", kFloating, "Square root; NaN below 0. The gradient at 0 is infinite.")
      .example("[2,3]:0.1..4");
}
OpDef define_rsqrt() {
  return schema::unary("Rsqrt", "rsqrt", kFloating, "1 / sqrt(x).").example("[2,3]:0.1..4");
}
OpDef define_exp() {
  return schema::unary("Exp", "exp", kFloating, "e^x.").example("[2,3]").example("[5]:-20..20");
}
OpDef define_expm1() {
  return schema::unary("Expm1", "expm1", kFloating, "e^x - 1, accurate for small x.")
      .example("[2,3]");
}
OpDef define_log() {
  return schema::unary("Log", "log", kFloating, "Natural logarithm; -inf at 0, NaN below.")
      .example("[2,3]:0.1..4");
}
OpDef define_log1p() {
  return schema::unary("Log1p", "log1p", kFloating, "log(1 + x), accurate for small x.")
      .example("[2,3]:-0.5..4");
}
OpDef define_sigmoid() {
  return schema::unary("Sigmoid", "sigmoid", kFloating, "1 / (1 + e^-x).")
      .example("[2,3]")
      .example("[5]:-20..20");
}
OpDef define_tanh() {
  return schema::unary("Tanh", "tanh", kFloating, "Hyperbolic tangent.")
      .example("[2,3]")
      .example("[5]:-10..10");
}
OpDef define_sinh() {
  return schema::unary("Sinh", "sinh", kFloating, "Hyperbolic sine.").example("[2,3]");
}
OpDef define_cosh() {
  return schema::unary("Cosh", "cosh", kFloating, "Hyperbolic cosine.").example("[2,3]");
}
OpDef define_erf() {
  return schema::unary("Erf", "erf", kFloating, "The error function.").example("[2,3]");
}
OpDef define_erfc() {
  return schema::unary("Erfc", "erfc", kFloating, "1 - erf(x), accurate for large x.")
      .example("[2,3]");
}
OpDef define_pow() {
  return schema::binary(
             "Pow",
             "pow",
             kFloating | kInteger,
             "a to the power b, element-wise, with broadcasting; 0^0 is 1. Integers wrap.\n"
             "Errors: an integer to a negative power.")
      .example("[2,3]:0.5..2 [2,3]:0..3")
      .example("f32[4,1]:0.5..2 f32[3]:-2..2");
}
OpDef define_sqrt_grad() {
  return schema::grad_of_result("SqrtGrad", "sqrt_grad", "dy / (2 y): the gradient of y = sqrt(x).")
      .example("[2,3]:0.5..2 [2,3]");
}
OpDef define_rsqrt_grad() {
  return schema::grad_of_result(
             "RsqrtGrad", "rsqrt_grad", "-dy y^3 / 2: the gradient of y = 1 / sqrt(x).")
      .example("[2,3]:0.5..2 [2,3]");
}
OpDef define_sigmoid_grad() {
  return schema::grad_of_result(
             "SigmoidGrad", "sigmoid_grad", "dy y (1 - y): the gradient of y = sigmoid(x).")
      .example("[2,3]:0.1..0.9 [2,3]");
}
OpDef define_tanh_grad() {
  return schema::grad_of_result(
             "TanhGrad", "tanh_grad", "dy (1 - y^2): the gradient of y = tanh(x).")
      .example("[2,3]:-0.9..0.9 [2,3]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/math.h>

namespace weir::ops {

void implement_sqrt(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, sqrt_grad(g.output(), g.dy()));
  });
}
void implement_rsqrt(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, rsqrt_grad(g.output(), g.dy()));
  });
}
void implement_exp(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * g.output());
  });
}
void implement_expm1(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * exp(g.input(0)));
  });
}
void implement_log(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() / g.input(0));
  });
}
void implement_log1p(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() / (g.input(0) + 1));
  });
}
void implement_sigmoid(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, sigmoid_grad(g.output(), g.dy()));
  });
}
void implement_tanh(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, tanh_grad(g.output(), g.dy()));
  });
}
void implement_sinh(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * cosh(g.input(0)));
  });
}
void implement_cosh(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * sinh(g.input(0)));
  });
}

namespace {

/// 2 / sqrt(pi) exp(-x^2)
Tensor erf_slope(const Tensor& x) {
  return exp(-square(x)) * 1.1283791670955126;
}

}  // namespace

void implement_erf(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * erf_slope(g.input(0)));
  });
}
void implement_erfc(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, -g.dy() * erf_slope(g.input(0)));
  });
}

void implement_pow(OpDef& op) {
  op.infer(infer::elementwise)
      .saves_input({0, 1})
      .saves_output({0})
      .gradient([](GradientContext& g) {
        const Tensor a = g.input(0), b = g.input(1);
        if (g.needs(0)) g.set(0, unbroadcast(g, 0, g.dy() * b * pow(a, b - 1)));
        if (!g.needs(1)) return;
        // log(a) counts where a > 0 only, as in TensorFlow: no NaN at a = 0, b > 0.
        const Tensor positive = a > 0;
        const Tensor log_a = where(positive, log(where(positive, a, 1)), 0);
        g.set(1, unbroadcast(g, 1, g.dy() * g.output() * log_a));
      });
}

void implement_sqrt_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor by = g.dy() / g.input(0);
    if (g.needs(0)) g.set(0, -by * sqrt_grad(g.input(0), g.input(1)));
    if (g.needs(1)) g.set(1, by * 0.5);
  });
}
void implement_rsqrt_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor y = g.input(0);
    if (g.needs(0)) g.set(0, g.dy() * g.input(1) * square(y) * -1.5);
    if (g.needs(1)) g.set(1, rsqrt_grad(y, g.dy()));
  });
}
void implement_sigmoid_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor y = g.input(0);
    if (g.needs(0)) g.set(0, g.dy() * g.input(1) * (1 - 2 * y));
    if (g.needs(1)) g.set(1, sigmoid_grad(y, g.dy()));
  });
}
void implement_tanh_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor y = g.input(0);
    if (g.needs(0)) g.set(0, g.dy() * g.input(1) * y * -2);
    if (g.needs(1)) g.set(1, tanh_grad(y, g.dy()));
  });
}

}  // namespace weir::ops
#endif
