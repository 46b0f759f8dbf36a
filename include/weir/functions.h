/// Functions made of ops: what has no node of its own in a graph.
#pragma once

#include <weir/operand.h>

namespace weir::inline v0 {

/// Matrix product of the last two axes, batched over the leading ones, which broadcast.
/// Shapes: a [..., m, k], b [..., k, n] -> [..., m, n]; transpose_a and transpose_b exchange the last two axes first.
/// Errors: rank below 2; different inner dimensions; different dtypes. TensorFlow: MatMul, or BatchMatMulV2 beyond rank 2.
Tensor matmul(Operand a, Operand b, bool transpose_a = false, bool transpose_b = false);

}  // namespace weir::inline v0
