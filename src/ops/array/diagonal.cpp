/// Diagonals and bands of matrices, which are the last two axes.
#include "ops/define.h"

namespace weir::ops {

OpDef define_matrix_diag() {
  return OpDef("MatrixDiag")
      .api("matrix_diag", "linalg")
      .doc(
          "Matrices with the given diagonals and zeros elsewhere: [..., n] -> [..., n, "
          "n].\nErrors: a scalar.")
      .type("T", kAnyType)
      .input("diagonal", "T")
      .output("output", "T")
      .example("[3]")
      .example("[2,3]");
}

OpDef define_matrix_diag_part() {
  return OpDef("MatrixDiagPart")
      .api("matrix_diag_part", "linalg")
      .doc("The diagonals of matrices: [..., m, n] -> [..., min(m, n)].\nErrors: rank below 2.")
      .type("T", kAnyType)
      .input("x", "T")
      .output("diagonal", "T")
      .stored_as("x", "input")
      .example("[3,3]")
      .example("[2,3,4]");
}

OpDef define_matrix_set_diag() {
  return OpDef("MatrixSetDiag")
      .api("matrix_set_diag", "linalg")
      .doc(
          "Matrices with their diagonals replaced: x [..., m, n], diagonal [..., min(m, n)].\n"
          "Errors: rank below 2; a diagonal of another shape.")
      .type("T", kAnyType)
      .input("x", "T")
      .input("diagonal", "T")
      .output("output", "T")
      .stored_as("x", "input")
      .example("[2,3,4] [2,3]");
}

OpDef define_matrix_band_part() {
  return OpDef("MatrixBandPart")
      .api("matrix_band_part", "linalg")
      .doc(
          "Matrices in which only the diagonal, num_lower diagonals below and num_upper above it "
          "are kept; the rest is\n"
          "zero. A negative number keeps that whole triangle.\nErrors: rank below 2; more "
          "diagonals than the matrix has.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("num_lower",
                      {.input = 1, .scalar = true, .type_attr = "Tindex", .dtype = DType::int64})
      .static_operand("num_upper",
                      {.input = 2, .scalar = true, .type_attr = "Tindex", .dtype = DType::int64})
      .output("band", "T")
      .stored_as("x", "input")
      .traits(Trait::idempotent)
      .example("[4,4] ; num_lower=1 num_upper=0")
      .example("[2,3,5] ; num_lower=-1 num_upper=2");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/linalg.h>

#include <algorithm>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

void require_matrices(InferContext& c) {
  if (c.shape(0).rank() < 2) c.fail("operands must be matrices", {}, "rank 2 or more");
}

void infer_matrix_diag(InferContext& c) {
  const ShapeView in = c.shape(0);
  if (in.rank() == 0) c.fail("a diagonal is a vector", {}, "rank 1 or more");
  Shape out = in.to_shape();
  out.push_back(in[in.rank() - 1]);
  c.set(0, out);
}

Shape diagonal_shape(ShapeView in) {
  Shape out(in.dims().first(std::size_t(in.rank() - 2)));
  const Dim m = in[in.rank() - 2], n = in[in.rank() - 1];
  out.push_back(m.same(n)                ? m
                : m.known() && n.known() ? Dim(std::min(m.value(), n.value()))
                                         : Dim::unknown());
  return out;
}

void infer_matrix_diag_part(InferContext& c) {
  require_matrices(c);
  c.set(0, diagonal_shape(c.shape(0)));
}

void infer_matrix_set_diag(InferContext& c) {
  require_matrices(c);
  const Shape expected = diagonal_shape(c.shape(0));
  const ShapeView diagonal = c.shape(1);
  if (diagonal.rank() != expected.rank())
    c.fail("the diagonal has another shape", {}, expected.to_string());
  for (int i = 0; i < expected.rank(); ++i)
    array::equal(c, expected[i], diagonal[i], "the diagonal has another shape");
  infer::same_as_first(c);
}

void infer_matrix_band_part(InferContext& c) {
  require_matrices(c);
  const ShapeView in = c.shape(0);
  for (int side = 0; side < 2; ++side) {
    const auto count = array::scalar(c, side);
    const Dim extent = in[in.rank() - 2 + side];
    if (count && extent.known() && *count > extent.value())
      c.fail("more diagonals than the matrix has",
             std::to_string(*count) + " with " + c.describe_inputs(),
             "at most " + extent.to_string());
  }
  infer::same_as_first(c);
}

void gradient_matrix_diag_part(GradientContext& g) {
  g.set(0, matrix_set_diag(fill(g.input_dims(0), Tensor::zeros({}, g.dy().dtype())), g.dy()));
}

void gradient_matrix_set_diag(GradientContext& g) {
  if (g.needs(0)) {
    const Tensor diagonal = matrix_diag_part(g.dy());
    g.set(0, matrix_set_diag(g.dy(), zeros_like(diagonal)));
  }
  if (g.needs(1)) g.set(1, matrix_diag_part(g.dy()));
}

}  // namespace

void implement_matrix_diag(OpDef& op) {
  op.infer(infer_matrix_diag).gradient([](GradientContext& g) {
    g.set(0, matrix_diag_part(g.dy()));
  });
}

void implement_matrix_diag_part(OpDef& op) {
  op.infer(infer_matrix_diag_part).gradient(gradient_matrix_diag_part);
}

void implement_matrix_set_diag(OpDef& op) {
  op.infer(infer_matrix_set_diag).gradient(gradient_matrix_set_diag);
}

void implement_matrix_band_part(OpDef& op) {
  op.infer(infer_matrix_band_part).saves_input({1, 2}).gradient([](GradientContext& g) {
    g.set(0, matrix_band_part(g.dy(), array::Passed(g, 0), array::Passed(g, 1)));
  });
}

}  // namespace weir::ops
#endif
