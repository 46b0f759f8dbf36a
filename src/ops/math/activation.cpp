/// Units of neural networks, and their gradients in one pass, as TensorFlow registers them.
#include "ops/define.h"

namespace weir::ops {
namespace schema {

inline OpDef unit(const char* name, const char* function, DTypeSet types, const char* doc) {
  OpDef op(name);
  op.api(function, "nn")
      .doc(doc)
      .type("T", types)
      .input("x", "T")
      .output("y", "T")
      .traits(Trait::elementwise);
  return op.stored_as("x", "features").stored_as("y", "activations");
}

/// `by`: the input x or the result y of the unit.
inline OpDef unit_grad(
    const char* name, const char* function, DTypeSet types, const char* by, const char* doc) {
  OpDef op(name);
  op.api(function, "nn")
      .doc(doc)
      .type("T", types)
      .input("dy", "T")
      .input(by, "T")
      .output("dx", "T");
  op.traits(Trait::elementwise).stored_as("dy", "gradients").stored_as("dx", "backprops");
  return op.stored_as("x", "features").stored_as("y", "outputs");
}

}  // namespace schema

OpDef define_relu() {
  return schema::unit("Relu",
                      "relu",
                      kReal,
                      "max(x, 0), element-wise; NaN stays NaN. The gradient at 0 is 0.")
      .traits(Trait::idempotent)
      .example("[2,3]:0.5..2")
      .example("[2,3]:-2..-0.5");
}
OpDef define_relu6() {
  return schema::unit("Relu6", "relu6", kReal, "x limited to [0, 6], element-wise.")
      .traits(Trait::idempotent)
      .example("[2,3]:0.5..5")
      .example("[2,3]:7..9");
}
OpDef define_elu() {
  return schema::unit("Elu", "elu", kFloating, "x above 0, e^x - 1 below (arXiv:1511.07289).")
      .example("[2,3]:0.5..2")
      .example("[2,3]:-2..-0.5");
}
OpDef define_selu() {
  return schema::unit("Selu",
                      "selu",
                      kFloating,
                      "1.0507 x above 0, 1.7581 (e^x - 1) below (arXiv:1706.02515).")
      .example("[2,3]:0.5..2")
      .example("[2,3]:-2..-0.5");
}
OpDef define_leaky_relu() {
  return schema::unit("LeakyRelu", "leaky_relu", kFloating, "x above 0, alpha x below.")
      .attr("alpha", 0.2)
      .example("[2,3]:0.5..2")
      .example("[2,3]:-2..-0.5 ; alpha=0.1");
}
OpDef define_softplus() {
  return schema::unit("Softplus", "softplus", kFloating, "log(1 + e^x).")
      .example("[2,3]")
      .example("[5]:-20..20");
}
OpDef define_softsign() {
  return schema::unit("Softsign", "softsign", kFloating, "x / (1 + |x|).").example("[2,3]:0.5..2");
}
OpDef define_silu() {
  return schema::unit(
             "Silu", "silu", kFloating, "x sigmoid(x), also called swish (arXiv:1710.05941).")
      .example("[2,3]")
      .example("[5]:-20..20");
}
OpDef define_gelu() {
  return schema::unit("Gelu",
                      "gelu",
                      kFloating,
                      "x times the probability that a standard normal variable is below x "
                      "(arXiv:1606.08415);\n"
                      "approximate: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).")
      .attr("approximate", false)
      .example("[2,3]")
      .example("[2,3] ; approximate=true");
}

OpDef define_relu_grad() {
  return schema::unit_grad(
             "ReluGrad", "relu_grad", kReal, "x", "dy where x > 0, else 0; x may be relu's result.")
      .example("[2,3] [2,3]:0.5..2");
}
OpDef define_relu6_grad() {
  return schema::unit_grad("Relu6Grad",
                           "relu6_grad",
                           kReal,
                           "x",
                           "dy where 0 < x < 6, else 0; x may be relu6's result.")
      .example("[2,3] [2,3]:0.5..5");
}
OpDef define_elu_grad() {
  return schema::unit_grad(
             "EluGrad", "elu_grad", kFloating, "y", "Gradient of elu from its result.")
      .example("[2,3] [2,3]:-0.9..-0.1")
      .example("[2,3] [2,3]:0.1..2");
}
OpDef define_selu_grad() {
  return schema::unit_grad(
             "SeluGrad", "selu_grad", kFloating, "y", "Gradient of selu from its result.")
      .example("[2,3] [2,3]:-1.7..-0.1")
      .example("[2,3] [2,3]:0.1..2");
}
OpDef define_leaky_relu_grad() {
  return schema::unit_grad(
             "LeakyReluGrad", "leaky_relu_grad", kFloating, "x", "dy where x > 0, else alpha dy.")
      .attr("alpha", 0.2)
      .example("[2,3] [2,3]:0.5..2")
      .example("[2,3] [2,3]:-2..-0.5 ; alpha=0.1");
}
OpDef define_softplus_grad() {
  return schema::unit_grad("SoftplusGrad", "softplus_grad", kFloating, "x", "dy sigmoid(x).")
      .example("[2,3] [2,3]");
}
OpDef define_softsign_grad() {
  return schema::unit_grad("SoftsignGrad", "softsign_grad", kFloating, "x", "dy / (1 + |x|)^2.")
      .example("[2,3] [2,3]:0.5..2");
}
OpDef define_silu_grad() {
  return schema::unit_grad(
             "SiluGrad", "silu_grad", kFloating, "x", "Gradient of silu from its input.")
      .example("[2,3] [2,3]");
}
OpDef define_gelu_grad() {
  return schema::unit_grad(
             "GeluGrad", "gelu_grad", kFloating, "x", "Gradient of gelu from its input.")
      .attr("approximate", false)
      .example("[2,3] [2,3]")
      .example("[2,3] [2,3] ; approximate=true");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

namespace weir::ops {

void implement_relu(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, relu_grad(g.dy(), g.output()));
  });
}
void implement_relu6(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, relu6_grad(g.dy(), g.output()));
  });
}
void implement_elu(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, elu_grad(g.dy(), g.output()));
  });
}
void implement_selu(OpDef& op) {
  op.infer(infer::elementwise).saves_output({0}).gradient([](GradientContext& g) {
    g.set(0, selu_grad(g.dy(), g.output()));
  });
}
void implement_leaky_relu(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, leaky_relu_grad(g.dy(), g.input(0), g.attr(0).f));
  });
}
void implement_softplus(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, softplus_grad(g.dy(), g.input(0)));
  });
}
void implement_softsign(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, softsign_grad(g.dy(), g.input(0)));
  });
}

namespace {

using Inputs = std::span<const Tensor>;
using Attrs = std::span<const rt::Attr>;

/// The normal distribution function.
Tensor normal_cdf(const Tensor& x) {
  return (erf(x * 0.7071067811865476) + 1) * 0.5;
}
/// 2 sqrt(2 / pi) (x + 0.044715 x^3), whose sigmoid approximates it, and its derivative.
Tensor gelu_tanh_argument(const Tensor& x) {
  return x * (square(x) * (0.044715 * 1.5957691216057308) + 1.5957691216057308);
}
Tensor gelu_tanh_slope(const Tensor& x) {
  return square(x) * (0.134145 * 1.5957691216057308) + 1.5957691216057308;
}

Tensor compose_gelu_grad(const Tensor& dy, const Tensor& x, bool approximate) {
  if (!approximate) return dy * (normal_cdf(x) + x * exp(square(x) * -0.5) * 0.3989422804014327);
  const Tensor gate = sigmoid(gelu_tanh_argument(x));
  return dy * (gate + x * gelu_tanh_slope(x) * gate * (1 - gate));
}

Tensor compose_silu_grad(const Tensor& dy, const Tensor& x) {
  const Tensor s = sigmoid(x);
  return dy * (s * (x * (1 - s) + 1));
}

}  // namespace

void implement_silu(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, silu_grad(g.dy(), g.input(0)));
  });
  op.decompose([](Inputs in, Attrs) { return std::vector<Tensor>{in[0] * sigmoid(in[0])}; });
}
void implement_gelu(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0}).gradient([](GradientContext& g) {
    g.set(0, gelu_grad(g.dy(), g.input(0), g.attr(0).b));
  });
  op.decompose([](Inputs in, Attrs attrs) {
    const Tensor gate = attrs[0].b ? sigmoid(gelu_tanh_argument(in[0])) : normal_cdf(in[0]);
    return std::vector<Tensor>{in[0] * gate};
  });
}

// Second order: the gradient by dy is the same function of the incoming gradient; the one by x or y
// follows.

void implement_relu_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, relu_grad(g.dy(), g.input(1)));
    if (g.needs(1)) g.set(1, g.dy() * 0);
  });
}
void implement_relu6_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, relu6_grad(g.dy(), g.input(1)));
    if (g.needs(1)) g.set(1, g.dy() * 0);
  });
}
void implement_elu_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, elu_grad(g.dy(), g.input(1)));
    if (g.needs(1)) g.set(1, where(g.input(1) < 0, g.dy() * g.input(0), 0));
  });
}
void implement_selu_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, selu_grad(g.dy(), g.input(1)));
    if (g.needs(1)) g.set(1, where(g.input(1) < 0, g.dy() * g.input(0), 0));
  });
}
void implement_leaky_relu_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, leaky_relu_grad(g.dy(), g.input(1), g.attr(0).f));
    if (g.needs(1)) g.set(1, g.dy() * 0);
  });
}
void implement_softplus_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, softplus_grad(g.dy(), g.input(1)));
    if (g.needs(1)) g.set(1, sigmoid_grad(sigmoid(g.input(1)), g.dy() * g.input(0)));
  });
}
void implement_softsign_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const Tensor x = g.input(1);
    if (g.needs(0)) g.set(0, softsign_grad(g.dy(), x));
    if (g.needs(1)) g.set(1, softsign_grad(g.dy() * g.input(0) * -2, x) * sign(x) / (abs(x) + 1));
  });
}

namespace {

/// With s = sigmoid(x): s (1 - s) (2 + x (1 - 2 s))
Tensor silu_curvature(const Tensor& x) {
  const Tensor s = sigmoid(x);
  return s * (1 - s) * (x * (1 - 2 * s) + 2);
}

/// With the normal density p: p (2 - x^2)
Tensor gelu_curvature(const Tensor& x) {
  const Tensor density = exp(square(x) * -0.5) * 0.3989422804014327;
  return density * (2 - square(x));
}

/// Second derivative of x sigmoid(v), v = c (x + 0.044715 x^3), c = 2 sqrt(2 / pi).
Tensor gelu_tanh_curvature(const Tensor& x) {
  const Tensor v1 = gelu_tanh_slope(x);
  const Tensor v2 = x * (2 * 0.134145 * 1.5957691216057308);
  const Tensor s = sigmoid(gelu_tanh_argument(x));
  return s * (1 - s) * (2 * v1 + x * ((1 - 2 * s) * square(v1) + v2));
}

}  // namespace

void implement_silu_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, silu_grad(g.dy(), g.input(1)));
    if (g.needs(1)) g.set(1, g.dy() * g.input(0) * silu_curvature(g.input(1)));
  });
  op.decompose(
      [](Inputs in, Attrs) { return std::vector<Tensor>{compose_silu_grad(in[0], in[1])}; });
}
void implement_gelu_grad(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    const bool approximate = g.attr(0).b;
    if (g.needs(0)) g.set(0, gelu_grad(g.dy(), g.input(1), approximate));
    if (!g.needs(1)) return;
    const Tensor curvature =
        approximate ? gelu_tanh_curvature(g.input(1)) : gelu_curvature(g.input(1));
    g.set(1, g.dy() * g.input(0) * curvature);
  });
  op.decompose([](Inputs in, Attrs attrs) {
    return std::vector<Tensor>{compose_gelu_grad(in[0], in[1], attrs[0].b)};
  });
}

}  // namespace weir::ops
#endif
