/// Functions that are several ops, or that choose one.
#include <weir/functions.h>
#include <weir/ops/linalg.h>

#include "tensor/tensor_impl.h"

namespace weir::inline v0 {

Tensor matmul(Operand a, Operand b, bool transpose_a, bool transpose_b) {
  const Tensor x = a.to_tensor(), y = b.to_tensor();
  const Operand ox(x, a.where()), oy(y, b.where());
  const bool matrices = x.defined() && y.defined() && x.rank() == 2 && y.rank() == 2;
  return matrices ? matrix_multiply(ox, oy, transpose_a, transpose_b)
                  : batch_matmul(ox, oy, transpose_a, transpose_b);
}

}  // namespace weir::inline v0
