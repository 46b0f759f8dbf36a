/// Functions that are several ops, or that choose one.
#include <weir/functions.h>
#include <weir/ops/linalg.h>
#include <weir/variable.h>

#include "tensor/tensor_impl.h"

namespace weir::inline v0 {

namespace {

/// Rank of an operand that is not read yet; -1 if there is none.
int rank_of(const Operand& o) {
  switch (o.kind()) {
    case Operand::Kind::tensor:
    case Operand::Kind::temporary:
      return o.tensor().defined() ? o.tensor().impl()->rank() : -1;
    case Operand::Kind::variable:
      return o.variable().shape().rank();
    case Operand::Kind::scalar:
      break;
  }
  return 0;
}

}  // namespace

Tensor matmul(Operand a, Operand b, bool transpose_a, bool transpose_b) {
  return rank_of(a) == 2 && rank_of(b) == 2 ? matrix_multiply(a, b, transpose_a, transpose_b)
                                            : batch_matmul(a, b, transpose_a, transpose_b);
}

}  // namespace weir::inline v0
