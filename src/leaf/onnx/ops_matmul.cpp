#include <weir/linalg.h>
#include <weir/ops/linalg.h>

#include <algorithm>

#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

// NumPy's rules for vectors: a vector gains an axis for the product and loses it after.
Tensor matmul_of(const NodeContext& c, Tensor a, Tensor b) {
  if (!a.shape().has_rank() || !b.shape().has_rank()) c.unsupported("operands of unknown rank");
  if (a.rank() == 0 || b.rank() == 0) c.damaged("a scalar operand");
  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a = expand_dims(a, 0);
  if (column) b = expand_dims(b, 1);
  Tensor y = matmul(a, b);
  if (column) y = squeeze(y, -1);
  if (row) y = squeeze(y, column ? -1 : -2);
  return y;
}

// Weir multiplies floats only; integers are exact in float64 below 2^53.
Tensor exact_matmul(const NodeContext& c, const Tensor& a, const Tensor& b) {
  if (!is_integer(a.dtype())) return matmul_of(c, a, b);
  return cast(matmul_of(c, cast(a, DType::float64), cast(b, DType::float64)), a.dtype());
}

Values convert_matmul(NodeContext& c) {
  return {exact_matmul(c, c.in(0), c.in(1))};
}

Values convert_gemm(NodeContext& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  if (c.rank(0) != 2 || c.rank(1) != 2) c.damaged("an operand that is no matrix");
  const double alpha = c.f("alpha", 1), beta = c.f("beta", 1);
  Tensor y;
  if (is_integer(a.dtype())) {
    y = cast(
        matmul(
            cast(a, DType::float64), cast(b, DType::float64), c.flag("transA"), c.flag("transB")),
        a.dtype());
  } else {
    y = matmul(a, b, c.flag("transA"), c.flag("transB"));
  }
  if (alpha != 1) y = y * alpha;
  if (!c.has(2) || beta == 0) return {y};
  const Tensor bias = beta == 1 ? c.in(2) : c.in(2) * beta;
  return {y + bias};
}

Values convert_einsum(NodeContext& c) {
  std::string equation = c.s("equation", "");
  std::erase(equation, ' ');
  return {einsum(equation, c.tensors())};
}

Values convert_det(NodeContext& c) {
  return {matrix_determinant(c.in(0))};
}

// Operand i minus its zero point, which is one number or one for each row or column.
Tensor without_zero_point(NodeContext& c, std::size_t i, std::size_t zero, bool rows) {
  const Tensor x = cast(c.in(i), DType::float64);
  if (!c.has(zero)) return x;
  Tensor z = cast(c.in(zero), DType::float64);
  if (rows && z.rank() == 1 && z.dim(0) != 1) z = expand_dims(z, -1);
  return x - z;
}

Values convert_matmul_integer(NodeContext& c) {
  const Tensor a = without_zero_point(c, 0, 2, true), b = without_zero_point(c, 1, 3, false);
  return {cast(matmul_of(c, a, b), DType::int32)};
}

constexpr Converter kConverters[] = {
    {"Det", convert_det},
    {"Einsum", convert_einsum},
    {"Gemm", convert_gemm},
    {"MatMul", convert_matmul},
    {"MatMulInteger", convert_matmul_integer},
};

}  // namespace

std::span<const Converter> matmul_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
