#include <limits>

#include "leaf/onnx/export.h"

namespace weir::onnx_io {
namespace {

// -- layout --

// The operand as it broadcasts against [n, c, h, w]; empty if that takes a node.
std::string as_channels_first(OpExport& e, std::size_t i) {
  const Shape& shape = e.spec(i).shape;
  if (!shape.has_rank()) return {};
  if (shape.rank() == 0) return e.in(i);
  if (shape.rank() == 4) return e.w.known_channels_first(e.in(i));
  if (shape.rank() != 1) return {};
  const Tensor* value = e.w.constant_value(e.in(i));
  if (value == nullptr) return {};
  const std::string dims = e.w.ints({-1, 1, 1});
  return e.w.emit("Reshape", {e.in(i), dims});
}

/// A node of element-wise ops, computed channels first where its operands were.
std::string element_wise(OpExport& e,
                         const ValueNames& inputs,
                         std::string (*f)(OpExport& e, const ValueNames& inputs)) {
  if (!e.out().shape.has_rank() || e.out().shape.rank() != 4) return f(e, inputs);
  ValueNames first;
  bool any = false;
  for (std::size_t i = 0; i < e.inputs(); ++i)
    any = any || !e.w.known_channels_first(e.in(i)).empty();
  if (!any) return f(e, inputs);
  for (std::size_t i = 0; i < e.inputs(); ++i) {
    first.push_back(as_channels_first(e, i));
    if (first.back().empty()) return f(e, inputs);
  }
  return e.w.channels_last(f(e, first));
}

template <std::string (*F)(OpExport&, const ValueNames&)>
ValueNames write(OpExport& e) {
  return {element_wise(e, e.all(), F)};
}

// -- ops of the same meaning, by Weir's name --

struct SameOp {
  const char* weir;
  const char* onnx;
};

constexpr SameOp kSame[] = {
    {"Abs", "Abs"},
    {"Acos", "Acos"},
    {"Acosh", "Acosh"},
    {"AddV2", "Add"},
    {"Asin", "Asin"},
    {"Asinh", "Asinh"},
    {"Atan", "Atan"},
    {"Atanh", "Atanh"},
    {"BitwiseAnd", "BitwiseAnd"},
    {"BitwiseOr", "BitwiseOr"},
    {"BitwiseXor", "BitwiseXor"},
    {"Invert", "BitwiseNot"},
    {"Ceil", "Ceil"},
    {"Cos", "Cos"},
    {"Cosh", "Cosh"},
    {"Elu", "Elu"},
    {"Equal", "Equal"},
    {"Erf", "Erf"},
    {"Exp", "Exp"},
    {"Floor", "Floor"},
    {"Greater", "Greater"},
    {"GreaterEqual", "GreaterOrEqual"},
    {"Identity", "Identity"},
    {"IsInf", "IsInf"},
    {"IsNan", "IsNaN"},
    {"Less", "Less"},
    {"LessEqual", "LessOrEqual"},
    {"Log", "Log"},
    {"LogicalAnd", "And"},
    {"LogicalNot", "Not"},
    {"LogicalOr", "Or"},
    {"LogicalXor", "Xor"},
    {"Maximum", "Max"},
    {"Minimum", "Min"},
    {"Mul", "Mul"},
    {"Neg", "Neg"},
    {"Pow", "Pow"},
    {"PreventGradient", "Identity"},
    {"RealDiv", "Div"},
    {"Reciprocal", "Reciprocal"},
    {"Relu", "Relu"},
    {"Rint", "Round"},
    {"Selu", "Selu"},
    {"Sigmoid", "Sigmoid"},
    {"Sign", "Sign"},
    {"Sin", "Sin"},
    {"Sinh", "Sinh"},
    {"Softplus", "Softplus"},
    {"Softsign", "Softsign"},
    {"Sqrt", "Sqrt"},
    {"StopGradient", "Identity"},
    {"Sub", "Sub"},
    {"Tan", "Tan"},
    {"Tanh", "Tanh"},
    {"TruncateDiv", "Div"},
};

std::string same(OpExport& e, const ValueNames& in) {
  for (const SameOp& s : kSame) {
    if (e.op() == s.weir) return e.w.emit(s.onnx, in);
  }
  e.unsupported("no op of ONNX");
}

// -- ops that are several --

std::string not_equal(OpExport& e, const ValueNames& in) {
  return e.w.emit("Not", {e.w.emit("Equal", in)});
}

std::string rounded(OpExport& e, const ValueNames& in) {
  return e.w.emit(is_floating(e.dtype()) ? "Round" : "Identity", in);
}

std::string square(OpExport& e, const ValueNames& in) {
  return e.w.emit("Mul", {in[0], in[0]});
}

std::string squared_difference(OpExport& e, const ValueNames& in) {
  const std::string d = e.w.emit("Sub", in);
  return e.w.emit("Mul", {d, d});
}

std::string rsqrt(OpExport& e, const ValueNames& in) {
  return e.w.emit("Reciprocal", {e.w.emit("Sqrt", in)});
}

std::string expm1(OpExport& e, const ValueNames& in) {
  return e.w.emit("Sub", {e.w.emit("Exp", in), e.w.number(1, e.dtype())});
}

std::string log1p(OpExport& e, const ValueNames& in) {
  return e.w.emit("Log", {e.w.emit("Add", {in[0], e.w.number(1, e.dtype())})});
}

std::string erfc(OpExport& e, const ValueNames& in) {
  return e.w.emit("Sub", {e.w.number(1, e.dtype()), e.w.emit("Erf", in)});
}

std::string relu6(OpExport& e, const ValueNames& in) {
  return e.w.emit("Clip", {in[0], e.w.number(0, e.dtype()), e.w.number(6, e.dtype())});
}

std::string silu(OpExport& e, const ValueNames& in) {
  return e.w.emit("Mul", {in[0], e.w.emit("Sigmoid", in)});
}

std::string leaky_relu(OpExport& e, const ValueNames& in) {
  return e.w.emit("LeakyRelu", in, {{"alpha", float(e.f("alpha"))}});
}

std::string gelu(OpExport& e, const ValueNames& in) {
  const bool approximate = e.flag("approximate");
  if (e.w.opset() >= 20) {
    return e.w.emit("Gelu", in, {{"approximate", std::string(approximate ? "tanh" : "none")}});
  }
  const auto n = [&](double v) { return e.w.number(v, e.dtype()); };
  std::string inner;
  if (approximate) {
    const std::string cube = e.w.emit("Mul", {e.w.emit("Mul", {in[0], in[0]}), in[0]});
    const std::string sum = e.w.emit("Add", {in[0], e.w.emit("Mul", {cube, n(0.044715)})});
    inner = e.w.emit("Tanh", {e.w.emit("Mul", {sum, n(0.79788456080286535588)})});
  } else {
    inner = e.w.emit("Erf", {e.w.emit("Mul", {in[0], n(0.70710678118654752440)})});
  }
  const std::string half = e.w.emit("Mul", {in[0], n(0.5)});
  return e.w.emit("Mul", {half, e.w.emit("Add", {inner, n(1)})});
}

std::string clip(OpExport& e, const ValueNames& in) {
  return e.w.emit("Min", {e.w.emit("Max", {in[0], in[1]}), in[2]});
}

std::string select(OpExport& e, const ValueNames& in) {
  return e.w.emit("Where", in);
}

std::string is_finite(OpExport& e, const ValueNames& in) {
  return e.w.emit("Not", {e.w.emit("Or", {e.w.emit("IsInf", in), e.w.emit("IsNaN", in)})});
}

std::string divide_no_nan(OpExport& e, const ValueNames& in) {
  const std::string zero = e.w.number(0, e.dtype());
  const std::string is_zero = e.w.emit("Equal", {in[1], zero});
  const std::string safe = e.w.emit("Where", {is_zero, e.w.number(1, e.dtype()), in[1]});
  return e.w.emit("Where", {is_zero, zero, e.w.emit("Div", {in[0], safe})});
}

std::string multiply_no_nan(OpExport& e, const ValueNames& in) {
  const std::string zero = e.w.number(0, e.dtype());
  return e.w.emit("Where", {e.w.emit("Equal", {in[1], zero}), zero, e.w.emit("Mul", in)});
}

std::string floor_divide(OpExport& e, const ValueNames& in) {
  if (is_floating(e.dtype())) return e.w.emit("Floor", {e.w.emit("Div", in)});
  if (is_unsigned_integer(e.dtype())) return e.w.emit("Div", in);
  // (a - floormod(a, b)) / b is exact.
  return e.w.emit("Div", {e.w.emit("Sub", {in[0], e.w.emit("Mod", in)}), in[1]});
}

std::string floor_mod(OpExport& e, const ValueNames& in) {
  if (!is_floating(e.dtype())) return e.w.emit("Mod", in);
  const std::string whole = e.w.emit("Floor", {e.w.emit("Div", in)});
  return e.w.emit("Sub", {in[0], e.w.emit("Mul", {whole, in[1]})});
}

std::string truncate_mod(OpExport& e, const ValueNames& in) {
  return e.w.emit("Mod", in, {{"fmod", std::int64_t{1}}});
}

std::string cast(OpExport& e, const ValueNames& in) {
  return e.w.emit("Cast", in, {{"to", std::int64_t(elem_type(e.out().dtype))}});
}

std::string bias_add(OpExport& e, const ValueNames& in) {
  return e.w.emit("Add", in);
}

std::string add_n(OpExport& e, const ValueNames& in) {
  return e.w.emit("Sum", in);
}

std::string like(OpExport& e, const ValueNames& in) {
  const double v = e.op() == "OnesLike" ? 1 : 0;
  const std::string dims = e.w.emit("Shape", in);
  return e.w.emit("Expand", {e.w.number(v, e.dtype()), dims});
}

constexpr Exporter kOthers[] = {
    {"AddN", write<add_n>},
    {"BiasAdd", write<bias_add>},
    {"Cast", write<cast>},
    {"ClipByValue", write<clip>},
    {"DivNoNan", write<divide_no_nan>},
    {"Erfc", write<erfc>},
    {"Expm1", write<expm1>},
    {"FloorDiv", write<floor_divide>},
    {"FloorMod", write<floor_mod>},
    {"Gelu", write<gelu>},
    {"IsFinite", write<is_finite>},
    {"LeakyRelu", write<leaky_relu>},
    {"Log1p", write<log1p>},
    {"MulNoNan", write<multiply_no_nan>},
    {"NotEqual", write<not_equal>},
    {"OnesLike", write<like>},
    {"Relu6", write<relu6>},
    {"Round", write<rounded>},
    {"Rsqrt", write<rsqrt>},
    {"SelectV2", write<select>},
    {"Silu", write<silu>},
    {"Square", write<square>},
    {"SquaredDifference", write<squared_difference>},
    {"TruncateMod", write<truncate_mod>},
    {"ZerosLike", write<like>},
};

std::vector<Exporter> make_exporters() {
  std::vector<Exporter> list(std::begin(kOthers), std::end(kOthers));
  for (const SameOp& s : kSame)
    list.push_back({s.weir, write<same>});
  return list;
}

}  // namespace

std::span<const Exporter> elementwise_exporters() {
  static const std::vector<Exporter> list = make_exporters();
  return list;
}

}  // namespace weir::onnx_io
