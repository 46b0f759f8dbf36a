/// Arithmetic. What is not here is not exact: x + 0 turns -0 into 0, x - x and 0 * x are NaN for
/// infinities, -1 * x and x - (-y) give NaN another sign than -x and x + y do. Complex products are
/// excluded for the same reasons.

#include <cmath>

#include "passes/rules/rule.h"

namespace weir::passes {
namespace {

/// 1 / c, element by element, in the arithmetic of T.
template <class T>
Tensor reciprocals(const Tensor& c) {
  std::vector<T> values;
  for (T v : c.data<T>())
    values.push_back(T(1) / v);
  return Tensor::from(values, c.shape());
}

Tensor reciprocal_constant(const Match& m) {
  const Tensor& c = m.node(m.variables[1]).value;
  if (c.dtype() == DType::float32) return reciprocals<float>(c);
  return c.dtype() == DType::float64 ? reciprocals<double>(c) : Tensor();
}

/// Dividing by a power of two and multiplying by its reciprocal both round the same real number,
/// once.
template <class T>
bool all_powers_of_two(const Tensor& c) {
  for (T v : c.data<T>()) {
    int exponent;
    if (std::abs(std::frexp(v, &exponent)) != T(0.5) || !std::isnormal(v) ||
        !std::isnormal(T(1) / v))
      return false;
  }
  return true;
}

/// AddV2 would broadcast what BiasAdd refuses.
bool is_one_bias_for_each_channel(const Match& m) {
  const Shape &x = m.spec(m.variables[0]).shape, &bias = m.spec(m.variables[1]).shape;
  return x.has_rank() && x.rank() > 0 && bias.has_rank() && bias.rank() == 1 &&
         x[x.rank() - 1].same(bias[0]);
}

bool divisor_is_power_of_two(const Match& m) {
  const Tensor& c = m.node(m.variables[1]).value;
  if (c.dtype() == DType::float32) return all_powers_of_two<float>(c);
  return c.dtype() == DType::float64 && all_powers_of_two<double>(c);
}

constexpr DTypeSet kFloat32Or64 = DType::float32 | DType::float64;

constexpr Rule kRules[] = {
    // Neutral elements.
    {.name = "mul_one", .pattern = "Mul(x, 1)", .replacement = "x", .types = kReal},
    {.name = "div_one", .pattern = "RealDiv(x, 1)", .replacement = "x", .types = kReal},
    {.name = "floor_div_one", .pattern = "FloorDiv(x, 1)", .replacement = "x", .types = kInteger},
    {.name = "truncate_div_one",
     .pattern = "TruncateDiv(x, 1)",
     .replacement = "x",
     .types = kInteger},
    {.name = "add_zero", .pattern = "AddV2(x, 0)", .replacement = "x", .types = kInteger},
    {.name = "add_minus_zero", .pattern = "AddV2(x, -0)", .replacement = "x", .types = kFloating},
    {.name = "sub_zero", .pattern = "Sub(x, 0)", .replacement = "x", .types = kReal},
    {.name = "pow_one", .pattern = "Pow(x, 1)", .replacement = "x", .types = kInteger},
    {.name = "maximum_self", .pattern = "Maximum(x, x)", .replacement = "x"},
    {.name = "minimum_self", .pattern = "Minimum(x, x)", .replacement = "x"},
    {.name = "add_n_one", .pattern = "AddN(x)", .replacement = "x"},

    // Signs.
    {.name = "abs_of_neg", .pattern = "Abs(Neg(x))", .replacement = "Abs(x)", .types = kReal},
    {.name = "sub_of_neg",
     .pattern = "Sub(x, Neg(y))",
     .replacement = "AddV2(x, y)",
     .types = kInteger},
    {.name = "add_of_neg",
     .pattern = "AddV2(x, Neg(y))",
     .replacement = "Sub(x, y)",
     .types = kInteger},
    {.name = "neg_of_sub",
     .pattern = "Neg(Sub(x, y))",
     .replacement = "Sub(y, x)",
     .types = kInteger},
    {.name = "zero_minus", .pattern = "Sub(0, x)", .replacement = "Neg(x)", .types = kSigned},
    {.name = "mul_minus_one", .pattern = "Mul(x, -1)", .replacement = "Neg(x)", .types = kSigned},

    // Strength.
    {.name = "square_of_self", .pattern = "Mul(x, x)", .replacement = "Square(x)", .types = kReal},
    {.name = "square_of_difference",
     .pattern = "Square(Sub(x, y))",
     .replacement = "SquaredDifference(x, y)",
     .types = kFloat32Or64 | kInteger},
    {.name = "div_by_power_of_two",
     .pattern = "RealDiv(x, #c)",
     .replacement = "Mul(x, #new)",
     .types = kFloat32Or64,
     .guard = divisor_is_power_of_two,
     .constant = reciprocal_constant},
    {.name = "one_over",
     .pattern = "RealDiv(1, x)",
     .replacement = "Reciprocal(x)",
     .types = kFloat32Or64},
    {.name = "bias_add",
     .pattern = "BiasAdd(x, y)",
     .replacement = "AddV2(x, y)",
     .guard = is_one_bias_for_each_channel},

    // Other bits.
    {.name = "add_zero_of_either_sign",
     .pattern = "AddV2(x, 0)",
     .replacement = "x",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "sub_of_neg_float",
     .pattern = "Sub(x, Neg(y))",
     .replacement = "AddV2(x, y)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "add_of_neg_float",
     .pattern = "AddV2(x, Neg(y))",
     .replacement = "Sub(x, y)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "div_by_constant",
     .pattern = "RealDiv(x, #c)",
     .replacement = "Mul(x, #new)",
     .types = kFloat32Or64,
     .numerics = Numerics::rounding,
     .constant = reciprocal_constant},
    {.name = "common_factor",
     .pattern = "AddV2(Mul(x, z), Mul(y, z))",
     .replacement = "Mul(AddV2(x, y), z)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "exp_minus_one",
     .pattern = "Sub(Exp(x), 1)",
     .replacement = "Expm1(x)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "log_of_one_plus",
     .pattern = "Log(AddV2(x, 1))",
     .replacement = "Log1p(x)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "log_of_softmax",
     .pattern = "Log(Softmax(x))",
     .replacement = "LogSoftmax(x)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "div_by_sqrt",
     .pattern = "RealDiv(x, Sqrt(y))",
     .replacement = "Mul(x, Rsqrt(y))",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "reciprocal_of_sqrt",
     .pattern = "Reciprocal(Sqrt(x))",
     .replacement = "Rsqrt(x)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "pow_two",
     .pattern = "Pow(x, 2)",
     .replacement = "Square(x)",
     .types = kFloating,
     .numerics = Numerics::rounding},
    {.name = "pow_half",
     .pattern = "Pow(x, 0.5)",
     .replacement = "Sqrt(x)",
     .types = kFloating,
     .numerics = Numerics::rounding},
};

}  // namespace

std::span<const Rule> arithmetic_rules() {
  return kRules;
}

}  // namespace weir::passes
