/// Systems of linear equations and what belongs to them. Matrices are the last two axes; the
/// leading axes count batches.
#include "ops/define.h"

namespace weir::ops {
namespace {

constexpr DTypeSet kSolvable = DType::float32 | DType::float64;

}  // namespace

OpDef define_cholesky() {
  return OpDef("Cholesky")
      .api("cholesky", "linalg")
      .doc(
          "The lower triangular L with L * L^T = x, for symmetric, positive definite matrices; "
          "only their lower triangles\n"
          "are read. Shapes: [..., n, n] -> [..., n, n]. Cost: n^3 / 3 flops.\n"
          "Errors: matrices that are not square; a matrix that is not positive definite.")
      .type("T", kSolvable)
      .input("input", "T")
      .output("output", "T")
      .example("[1,1]:1..3")
      .example("[3,1,1]:1..3");
}

OpDef define_matrix_inverse() {
  return OpDef("MatrixInverse")
      .api("matrix_inverse", "linalg")
      .doc(
          "Inverses, of the transposes if `adjoint`. To solve equations, matrix_solve is faster "
          "and more accurate.\n"
          "Shapes: [..., n, n] -> [..., n, n]. Cost: 2 n^3 flops. Errors: matrices that are not "
          "square; a singular one.")
      .type("T", kSolvable)
      .input("input", "T")
      .attr("adjoint", false)
      .output("output", "T")
      .example("[3,3]:dominant")
      .example("[2,2,2]:dominant ; adjoint=true");
}

OpDef define_matrix_determinant() {
  return OpDef("MatrixDeterminant")
      .api("matrix_determinant", "linalg")
      .doc(
          "Determinants, 1 for empty matrices. Shapes: [..., n, n] -> [...]. Errors: matrices that "
          "are not square.")
      .type("T", kSolvable)
      .input("input", "T")
      .output("output", "T")
      .example("[3,3]")
      .example("[2,2,2]");
}

OpDef define_matrix_solve() {
  return OpDef("MatrixSolve")
      .api("matrix_solve", "linalg")
      .doc(
          "The x with matrix * x = rhs, by elimination with row pivots; with the transposed matrix "
          "if `adjoint`.\n"
          "Shapes: matrix [..., n, n], rhs [..., n, k] -> [..., n, k].\n"
          "Errors: matrices that are not square; shapes that do not fit; a singular matrix.")
      .type("T", kSolvable)
      .input("matrix", "T")
      .input("rhs", "T")
      .attr("adjoint", false)
      .output("output", "T")
      .example("[3,3]:dominant [3,2]")
      .example("[2,2,2]:dominant [2,2,1] ; adjoint=true");
}

OpDef define_matrix_triangular_solve() {
  return OpDef("MatrixTriangularSolve")
      .api("matrix_triangular_solve", "linalg")
      .doc(
          "The x with matrix * x = rhs, where only the lower triangle of the matrix (the upper one "
          "unless `lower`) is read\n"
          "and the other is taken as 0; with the transposed matrix if `adjoint`.\n"
          "Shapes: matrix [..., n, n], rhs [..., n, k] -> [..., n, k].\n"
          "Errors: matrices that are not square; shapes that do not fit; a 0 on the diagonal.")
      .type("T", kSolvable)
      .input("matrix", "T")
      .input("rhs", "T")
      .attr("lower", true)
      .attr("adjoint", false)
      .output("output", "T")
      .example("[3,3]:dominant [3,2]")
      .example("[2,2,2]:dominant [2,2,1] ; lower=false adjoint=true");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/functions.h>
#include <weir/ops/array.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>

#include "ops/array/helpers.h"
#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

/// The shape of square matrices, its last two dimensions made equal.
Shape square_matrices(InferContext& c, int input) {
  Shape s = c.shape(input).to_shape();
  if (s.rank() < 2) c.fail("operand must be matrices", {}, "rank 2 or more");
  const int n = s.rank() - 1;
  s[n] = s[n - 1] = infer::equal_dims(c, s[n - 1], s[n], "rows and columns of the matrices");
  return s;
}

void infer_square(InferContext& c) {
  c.set(0, square_matrices(c, 0));
}

void infer_determinant(InferContext& c) {
  const Shape s = square_matrices(c, 0);
  c.set(0, Shape(s.dims().first(std::size_t(s.rank() - 2))));
}

void infer_solve(InferContext& c) {
  const Shape m = square_matrices(c, 0);
  infer::require_rank(c, 1, m.rank());
  Shape x = c.shape(1).to_shape();
  for (int i = 0; i < m.rank() - 1; ++i)
    x[i] = infer::equal_dims(c, m[i], x[i], "dimensions of matrix and rhs");
  c.set(0, x);
}

/// sums[..., 0..n] of the lower triangle with half the diagonal.
Tensor lower_half(const Tensor& m) {
  return matrix_band_part(matrix_set_diag(m, multiply(matrix_diag_part(m), 0.5)), -1, 0);
}

Tensor transposed(const Tensor& m) {
  return swapaxes(m, -2, -1);
}

/// Murray, "Differentiation of the Cholesky decomposition", 2016: symmetric part of L^-T *
/// lower_half(L^T dL) * L^-1.
void gradient_cholesky(GradientContext& g) {
  array::require_ranks(g, "Cholesky");
  const Tensor l = g.output();
  const Tensor inner = lower_half(matmul(l, g.dy(), true, false));
  const Tensor left = matrix_triangular_solve(l, inner, true, true);          // L^-T P
  const Tensor s = matrix_triangular_solve(l, transposed(left), true, true);  // (L^-T P L^-1)^T
  g.set(0, multiply(add(s, transposed(s)), 0.5));
}

void gradient_inverse(GradientContext& g) {
  const Tensor y = g.output();
  const bool adjoint = g.attr(0).b;
  const Tensor d = adjoint ? matmul(y, matmul(g.dy(), y, true, false))
                           : matmul(y, matmul(g.dy(), y, false, true), true, false);
  g.set(0, negative(d));
}

void gradient_determinant(GradientContext& g) {
  const Tensor scale = expand_dims(expand_dims(multiply(g.dy(), g.output()), -1), -1);
  g.set(0, multiply(scale, matrix_inverse(g.input(0), true)));
}

/// -d_rhs * x^T, or its transpose: what flows to the matrix.
Tensor matrix_gradient(const Tensor& d_rhs, const Tensor& x, bool adjoint) {
  return negative(adjoint ? matmul(x, d_rhs, false, true) : matmul(d_rhs, x, false, true));
}

void gradient_solve(GradientContext& g) {
  const bool adjoint = g.attr(0).b;
  const Tensor d = matrix_solve(g.input(0), g.dy(), !adjoint);
  if (g.needs(0)) g.set(0, matrix_gradient(d, g.output(), adjoint));
  if (g.needs(1)) g.set(1, d);
}

void gradient_triangular(GradientContext& g) {
  const bool lower = g.attr(0).b, adjoint = g.attr(1).b;
  const Tensor d = matrix_triangular_solve(g.input(0), g.dy(), lower, !adjoint);
  if (g.needs(0)) {
    const Tensor full = matrix_gradient(d, g.output(), adjoint);
    g.set(0, lower ? matrix_band_part(full, -1, 0) : matrix_band_part(full, 0, -1));
  }
  if (g.needs(1)) g.set(1, d);
}

}  // namespace

void implement_cholesky(OpDef& op) {
  op.infer(infer_square).saves_output({0}).gradient(gradient_cholesky);
}
void implement_matrix_inverse(OpDef& op) {
  op.infer(infer_square).saves_output({0}).gradient(gradient_inverse);
}
void implement_matrix_determinant(OpDef& op) {
  op.infer(infer_determinant).saves_input({0}).saves_output({0}).gradient(gradient_determinant);
}
void implement_matrix_solve(OpDef& op) {
  op.infer(infer_solve).saves_input({0}).saves_output({0}).gradient(gradient_solve);
}
void implement_matrix_triangular_solve(OpDef& op) {
  op.infer(infer_solve).saves_input({0}).saves_output({0}).gradient(gradient_triangular);
}

}  // namespace weir::ops
#endif
