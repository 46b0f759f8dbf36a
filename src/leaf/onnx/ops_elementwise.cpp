#include <weir/nn.h>
#include <weir/ops/nn.h>

#include <cmath>
#include <limits>

#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

// -- of one operand --

Tensor rounded(const Tensor& x) {
  return is_floating(x.dtype()) ? rint(x) : x;
}

Values convert_abs(NodeContext& c) {
  const Tensor& x = c.in(0);
  return {is_unsigned_integer(x.dtype()) ? identity(x) : abs(x)};
}

Values convert_sign(NodeContext& c) {
  const Tensor& x = c.in(0);
  if (!is_unsigned_integer(x.dtype())) return {sign(x)};
  return {cast(not_equal(x, zeros_like(x)), x.dtype())};
}

Values convert_elu(NodeContext& c) {
  const Tensor& x = c.in(0);
  const double alpha = c.f("alpha", 1);
  if (alpha == 1) return {elu(x)};
  return {where(x < 0, expm1(minimum(x, 0)) * alpha, x)};
}

Values convert_selu(NodeContext& c) {
  const Tensor& x = c.in(0);
  const double alpha = c.f("alpha", 1.67326319217681884765625f);
  const double gamma = c.f("gamma", 1.05070102214813232421875f);
  return {where(x <= 0, expm1(minimum(x, 0)) * (gamma * alpha), x * gamma)};
}

Values convert_celu(NodeContext& c) {
  const Tensor& x = c.in(0);
  const double alpha = c.f("alpha", 1);
  return {maximum(x, 0) + minimum(expm1(x / alpha) * alpha, 0)};
}

Values convert_leaky_relu(NodeContext& c) {
  return {leaky_relu(c.in(0), c.f("alpha", 0.01f))};
}

Values convert_prelu(NodeContext& c) {
  const Tensor &x = c.in(0), &slope = c.in(1);
  return {where(less(x, zeros_like(x)), x * slope, x)};
}

Values convert_thresholded_relu(NodeContext& c) {
  const Tensor& x = c.in(0);
  return {where(x > double(c.f("alpha", 1)), x, zeros_like(x))};
}

Values convert_hard_sigmoid(NodeContext& c) {
  const double alpha = c.f("alpha", 0.2f), beta = c.f("beta", 0.5f);
  return {clip_by_value(c.in(0) * alpha + beta, 0, 1)};
}

Values convert_hard_swish(NodeContext& c) {
  const Tensor& x = c.in(0);
  return {x * clip_by_value(x * (1.0 / 6) + 0.5, 0, 1)};
}

Values convert_gelu(NodeContext& c) {
  return {gelu(c.in(0), c.s("approximate", "none") == "tanh")};
}

Values convert_mish(NodeContext& c) {
  const Tensor& x = c.in(0);
  return {x * tanh(softplus(x))};
}

Values convert_swish(NodeContext& c) {
  const Tensor& x = c.in(0);
  const double alpha = c.f("alpha", 1);
  if (alpha == 1) return {silu(x)};
  return {x * sigmoid(x * alpha)};
}

Values convert_shrink(NodeContext& c) {
  const Tensor& x = c.in(0);
  const double bias = c.f("bias", 0), lambda = c.f("lambd", 0.5f);
  return {where(x < -lambda, x + bias, where(x > lambda, x - bias, zeros_like(x)))};
}

Values convert_is_inf(NodeContext& c) {
  const Tensor& x = c.in(0);
  const bool positive = c.flag("detect_positive", true), negative = c.flag("detect_negative", true);
  const Tensor infinite = is_inf(x);
  if (positive && negative) return {infinite};
  if (positive) return {logical_and(infinite, x > 0)};
  if (negative) return {logical_and(infinite, x < 0)};
  return {zeros_like(infinite)};
}

Values convert_clip(NodeContext& c) {
  Tensor x = c.in(0);
  if (c.opset() < 11) {
    const double low = c.f("min", std::numeric_limits<float>::lowest());
    const double high = c.f("max", std::numeric_limits<float>::max());
    return {minimum(maximum(x, low), high)};
  }
  if (c.has(1)) x = in_layout(maximum, x, as_scalar(c.in(1)));
  if (c.has(2)) x = in_layout(minimum, x, as_scalar(c.in(2)));
  return {x};
}

Values convert_dropout(NodeContext& c) {
  const Tensor& x = c.in(0);
  bool training = false;
  if (c.opset() >= 12 && c.has(2)) {
    if (!is_constant(c.in(2))) c.unsupported("a training mode that is no constant");
    training = c.in(2).truth();
  }
  double ratio = 0.5;
  if (c.opset() < 12) {
    ratio = c.f("ratio", 0.5f);
  } else if (c.has(1)) {
    if (!is_constant(c.in(1))) c.unsupported("a ratio that is no constant");
    ratio = c.in(1).item<double>();
  }
  if (!training || ratio == 0) return {identity(x), fill(dims_of(x), Tensor(true))};
  c.unsupported("dropout in training mode, whose numbers no two programs share");
}

// -- of two and more --

Values convert_div(NodeContext& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  return {is_integer(a.dtype()) ? truncate_divide(a, b) : divide(a, b)};
}

Values convert_pow(NodeContext& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  if (a.dtype() == b.dtype()) return {pow(a, b)};
  if (is_integer(a.dtype()) && is_floating(b.dtype())) {
    return {cast(pow(cast(a, DType::float64), cast(b, DType::float64)), a.dtype())};
  }
  return {pow(a, cast(b, a.dtype()))};
}

Values convert_mod(NodeContext& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  return {c.flag("fmod") ? truncatemod(a, b) : floormod(a, b)};
}

template <Tensor (*F)(Operand, Operand)>
Values variadic(NodeContext& c) {
  const std::vector<Tensor> all = c.tensors();
  Tensor result = all[0];
  for (std::size_t i = 1; i < all.size(); ++i)
    result = in_layout(F, result, all[i]);
  return {all.size() == 1 ? identity(result) : result};
}

Values convert_mean(NodeContext& c) {
  const Tensor total = variadic<add>(c)[0].tensor;
  return {total / double(c.inputs())};
}

Values convert_where(NodeContext& c) {
  return {where(c.in(0), c.in(1), c.in(2))};
}

Values convert_equal_bool(NodeContext& c) {
  return {equal(c.in(0), c.in(1))};
}

Values convert_bit_shift(NodeContext& c) {
  const std::string direction = c.s("direction", "");
  const Tensor &x = c.in(0), &by = c.in(1);
  if (direction != "LEFT" && direction != "RIGHT") c.damaged("the direction of a shift");
  // Weir's shifts by the width and more are not 0, as ONNX's are.
  const int width = bit_width(x.dtype());
  const Tensor shifted = direction == "LEFT" ? left_shift(x, by) : right_shift(x, by);
  const Tensor filled = is_unsigned_integer(x.dtype()) || direction == "LEFT"
                            ? zeros_like(x)
                            : right_shift(x, width - 1);
  return {
      where(greater_equal(cast(by, DType::uint64), Tensor(std::uint64_t(width))), filled, shifted)};
}

constexpr Converter kConverters[] = {
    {"Abs", convert_abs},
    {"Acos", unary<acos>},
    {"Acosh", unary<acosh>},
    {"Add", binary<add>},
    {"And", binary<logical_and>},
    {"Asin", unary<asin>},
    {"Asinh", unary<asinh>},
    {"Atan", unary<atan>},
    {"Atanh", unary<atanh>},
    {"BitShift", convert_bit_shift},
    {"BitwiseAnd", binary<bitwise_and>},
    {"BitwiseNot", unary<invert>},
    {"BitwiseOr", binary<bitwise_or>},
    {"BitwiseXor", binary<bitwise_xor>},
    {"Ceil", unary<ceil>},
    {"Celu", convert_celu},
    {"Clip", convert_clip},
    {"Cos", unary<cos>},
    {"Cosh", unary<cosh>},
    {"Div", convert_div},
    {"Dropout", convert_dropout},
    {"Elu", convert_elu},
    {"Equal", convert_equal_bool},
    {"Erf", unary<erf>},
    {"Exp", unary<exp>},
    {"Floor", unary<floor>},
    {"Gelu", convert_gelu},
    {"Greater", binary<greater>},
    {"GreaterOrEqual", binary<greater_equal>},
    {"HardSigmoid", convert_hard_sigmoid},
    {"HardSwish", convert_hard_swish},
    {"IsInf", convert_is_inf},
    {"IsNaN", unary<is_nan>},
    {"LeakyRelu", convert_leaky_relu},
    {"Less", binary<less>},
    {"LessOrEqual", binary<less_equal>},
    {"Log", unary<log>},
    {"Max", variadic<maximum>},
    {"Mean", convert_mean},
    {"Min", variadic<minimum>},
    {"Mish", convert_mish},
    {"Mod", convert_mod},
    {"Mul", binary<multiply>},
    {"Neg", unary<negative>},
    {"Not", unary<logical_not>, 1},
    {"Or", binary<logical_or>},
    {"PRelu", convert_prelu},
    {"Pow", convert_pow},
    {"Reciprocal", unary<reciprocal>},
    {"Relu", unary<relu>},
    {"Round", [](NodeContext& c) -> Values { return {rounded(c.in(0))}; }},
    {"Selu", convert_selu},
    {"Shrink", convert_shrink},
    {"Sigmoid", unary<sigmoid>},
    {"Sign", convert_sign},
    {"Sin", unary<sin>},
    {"Sinh", unary<sinh>},
    {"Softplus", unary<softplus>},
    {"Softsign", unary<softsign>},
    {"Sqrt", unary<sqrt>},
    {"Sub", binary<subtract>},
    {"Sum", variadic<add>},
    {"Swish", convert_swish},
    {"Tan", unary<tan>},
    {"Tanh", unary<tanh>},
    {"ThresholdedRelu", convert_thresholded_relu},
    {"Where", convert_where},
    {"Xor", binary<logical_xor>},
};

}  // namespace

std::span<const Converter> elementwise_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
