/// Arithmetic with broadcasting. Integers wrap.
#include "ops/math/schema.h"

namespace weir::ops {

OpDef define_add() {
  return schema::binary("AddV2",
                        "add",
                        kNumeric,
                        "a + b, element-wise, with NumPy broadcasting. Integers wrap.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[4,1,3] [5,1]")
      .example("[0,3] [3]");
}

OpDef define_add_n() {
  return OpDef("AddN")
      .api("add_n", "math")
      .doc(
          "The sum of one or more tensors of one shape, element by element in their "
          "order.\nErrors: shapes that differ.")
      .type("T", kNumeric)
      .inputs("inputs", "T")
      .output("sum", "T")
      .example("[2,3] [2,3] [2,3]")
      .example("[0]");
}

OpDef define_sub() {
  return schema::binary("Sub",
                        "subtract",
                        kNumeric,
                        "a - b, element-wise, with NumPy broadcasting. Integers wrap.")
      .example("[2,3] [2,3]")
      .example("[3] [2,1]");
}

OpDef define_mul() {
  return schema::binary("Mul",
                        "multiply",
                        kNumeric,
                        "a * b, element-wise, with NumPy broadcasting. Integers wrap.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[3] []");
}

OpDef define_real_div() {
  return schema::binary(
             "RealDiv",
             "divide",
             kFloating | kComplex,
             "a / b, element-wise, with NumPy broadcasting; division by zero follows IEEE 754.\n"
             "For integers use floor_divide or truncate_divide, or cast them first.")
      .example("[2,3] [2,3]:0.5..2")
      .example("[4,1,3] [5,1]:-3..-1")
      .example("[0,3] [3]:1..2");
}

OpDef define_squared_difference() {
  return schema::binary("SquaredDifference",
                        "squared_difference",
                        kReal,
                        "(a - b)^2, element-wise, in one pass.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[4,1] [3]");
}

OpDef define_maximum() {
  return schema::binary("Maximum",
                        "maximum",
                        kReal,
                        "The larger of a and b, element-wise; NaN if either is. Where they are "
                        "equal, the gradient goes "
                        "to a.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[4,1] [3]");
}

OpDef define_minimum() {
  return schema::binary("Minimum",
                        "minimum",
                        kReal,
                        "The smaller of a and b, element-wise; NaN if either is. Where they are "
                        "equal, the gradient "
                        "goes to a.")
      .traits(Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[4,1] [3]");
}

OpDef define_div_no_nan() {
  return schema::binary(
             "DivNoNan", "divide_no_nan", kFloating, "a / b, but 0 where b is 0, whatever a is.")
      .example("[2,3] [2,3]:0.5..2")
      .example("[4,1] [3]:-2..-1");
}

OpDef define_mul_no_nan() {
  return schema::binary("MulNoNan",
                        "multiply_no_nan",
                        kFloating,
                        "a * b, but 0 where b is 0, even if a is infinite or NaN.")
      .example("[2,3] [2,3]")
      .example("[4,1] [3]");
}

OpDef define_neg() {
  return schema::unary("Neg", "negative", kFloating | kSigned | kComplex, "-x, element-wise.")
      .traits(Trait::involution)
      .example("[2,3]")
      .example("[]");
}

OpDef define_conj() {
  return schema::unary("Conj", "conj", kComplex, "The complex conjugate.")
      .stored_as("y", "output")
      .traits(Trait::involution)
      .example("[2,3]");
}

OpDef define_abs() {
  return schema::unary("Abs",
                       "abs",
                       kFloating | kSigned,
                       "|x|, element-wise. The gradient at 0 is 0. The lowest integer is its own "
                       "absolute value.")
      .traits(Trait::idempotent)
      .example("[2,3]:0.5..2")
      .example("[3]:-2..-0.5");
}

OpDef define_sign() {
  return schema::unary(
             "Sign", "sign", kFloating | kSigned, "-1, 0 or 1 by the sign of x; NaN stays NaN.")
      .traits(Trait::idempotent | Trait::no_gradient)
      .example("[2,3]");
}

OpDef define_square() {
  return schema::unary("Square", "square", kNumeric, "x * x, element-wise.")
      .example("[2,3]")
      .example("[0]");
}

OpDef define_reciprocal() {
  return schema::unary("Reciprocal", "reciprocal", kFloating | kComplex, "1 / x, element-wise.")
      .example("[2,3]:0.5..2");
}

OpDef define_reciprocal_grad() {
  return schema::grad_of_result(
             "ReciprocalGrad", "reciprocal_grad", "-dy y^2: the gradient of y = 1 / x.")
      .example("[2,3]:0.5..2 [2,3]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/math.h>

#include <algorithm>

namespace weir::ops {
namespace {

/// The factor of a gradient: conjugate, by TensorFlow's convention for complex numbers.
Tensor factor(const Tensor& t) {
  return is_complex(t.dtype()) ? conj(t) : t;
}

Cost cost_add_n(std::span<const SpecView> inputs,
                std::span<const Spec> outputs,
                std::span<const rt::Attr>) {
  return {.flops = double(inputs.size() - 1) *
                   double(std::max<std::int64_t>(outputs[0].shape.size(), 0))};
}

/// All shapes are one; an unknown dimension is what another input knows of it.
void infer_add_n(InferContext& c) {
  Shape shape = c.shape(0).to_shape();
  for (int i = 1; i < c.inputs(); ++i) {
    const ShapeView other = c.shape(i);
    bool same = other.rank() == shape.rank();
    for (int a = 0; same && a < shape.rank(); ++a) {
      same = !shape[a].known() || !other[a].known() || shape[a] == other[a];
      if (!shape[a].known()) shape[a] = other[a];
    }
    if (!same)
      c.fail(
          "the operands have different shapes", {}, "one shape", "add broadcasts, add_n does not");
  }
  c.set(0, shape);
}

/// Gradient of a choice between two operands: dy goes to the first where `mask`, else to the
/// second.
void share_by_mask(GradientContext& g, const Tensor& mask) {
  if (g.needs(0)) g.set(0, unbroadcast(g, 0, where(mask, g.dy(), 0)));
  if (g.needs(1)) g.set(1, unbroadcast(g, 1, where(mask, 0, g.dy())));
}

}  // namespace

void implement_add(OpDef& op) {
  op.infer(infer::elementwise).gradient([](GradientContext& g) {
    for (int i = 0; i < 2; ++i) {
      if (g.needs(i)) g.set(i, unbroadcast(g, i, g.dy()));
    }
  });
}

void implement_add_n(OpDef& op) {
  op.infer(infer_add_n).cost(cost_add_n).gradient([](GradientContext& g) {
    for (int i = 0; i < g.inputs(); ++i) {
      if (g.needs(i)) g.set(i, g.dy());
    }
  });
}

void implement_sub(OpDef& op) {
  op.infer(infer::elementwise).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, g.dy()));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, -g.dy()));
  });
}

void implement_mul(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    for (int i = 0; i < 2; ++i) {
      if (g.needs(i)) g.set(i, unbroadcast(g, i, g.dy() * factor(g.input(1 - i))));
    }
  });
}

void implement_real_div(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor by = g.dy() / factor(g.input(1));
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, by));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, -by * factor(g.input(0) / g.input(1))));
  });
}

void implement_squared_difference(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor slope = g.dy() * 2 * (g.input(0) - g.input(1));
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, slope));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, -slope));
  });
}

void implement_maximum(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    share_by_mask(g, g.input(0) >= g.input(1));
  });
}

void implement_minimum(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    share_by_mask(g, g.input(0) <= g.input(1));
  });
}

void implement_div_no_nan(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor by = divide_no_nan(g.dy(), g.input(1));
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, by));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, -by * divide_no_nan(g.input(0), g.input(1))));
  });
}

void implement_mul_no_nan(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, multiply_no_nan(g.dy(), g.input(1))));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, multiply_no_nan(g.input(0), g.dy())));
  });
}

void implement_neg(OpDef& op) {
  op.infer(infer::elementwise).gradient([](GradientContext& g) { g.set(0, -g.dy()); });
}

void implement_conj(OpDef& op) {
  op.infer(infer::elementwise).gradient([](GradientContext& g) { g.set(0, conj(g.dy())); });
}

void implement_abs(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * sign(g.input(0)));
  });
}

void implement_sign(OpDef& op) {
  op.infer(infer::elementwise);
}

void implement_square(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, g.dy() * (factor(g.input(0)) * 2));
  });
}

void implement_reciprocal(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0,
          is_complex(g.input_dtype(0)) ? -g.dy() * square(conj(g.output()))
                                       : reciprocal_grad(g.output(), g.dy()));
  });
}

void implement_reciprocal_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor y = g.input(0);
    if (g.needs(0)) g.set(0, g.dy() * g.input(1) * y * -2);
    if (g.needs(1)) g.set(1, reciprocal_grad(y, g.dy()));
  });
}

}  // namespace weir::ops
#endif
