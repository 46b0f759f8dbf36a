/// Linear algebra made of several ops. Matrix product: matmul in weir/functions.h; the ops
/// themselves: weir/ops/linalg.h.
#pragma once

#include <weir/operand.h>

#include <string_view>

namespace weir::inline v0 {

/// Exchanges the last two axes. Errors: rank below 2.
Tensor matrix_transpose(Operand x);
/// Identity matrix with `rows` rows and `columns` columns (as many as rows if absent).
Tensor eye(std::int64_t rows, std::int64_t columns = -1, DType dtype = DType::float32);
/// Sum of the diagonals of matrices: [..., m, n] -> [...].
Tensor trace(Operand x);

/// Sum of products along a, then b, of the last axis of each: for vectors the scalar product, for
/// matrices matmul.
Tensor dot(Operand a, Operand b);
/// a[i] * b[j]: [m], [n] -> [m, n]. Errors: ranks other than 1.
Tensor outer(Operand a, Operand b);
/// Sums the products over pairs of axes: axes_a of a with axes_b of b; what is left of a, then of
/// b, are the axes of the result. With a number n: the last n axes of a with the first n of b.
/// Errors: lists of different lengths; dimensions that differ; an axis named twice.
Tensor tensordot(Operand a, Operand b, int axes);
Tensor tensordot(Operand a,
                 Operand b,
                 const std::vector<std::int64_t>& axes_a,
                 const std::vector<std::int64_t>& axes_b);

/// Einstein's summation: one letter per axis of each operand, then the letters of the result;
/// letters that the result does not have are summed over. "..." stands for any leading axes, which
/// broadcast. Without "->" the result has the letters that occur once, in alphabetical order.
///
///   einsum("ij,jk->ik", {a, b})      // matmul
///   einsum("bhqd,bhkd->bhqk", {q, k})
///   einsum("...ii->...i", {x})       // diagonals
///
/// Errors: a letter twice in the result or not in any operand; a number of letters that is not the
/// rank; dimensions of one letter that differ; another number of operands than the equation has.
Tensor einsum(std::string_view equation, OperandList operands);

}  // namespace weir::inline v0
