#include "ops/nn/shapes.h"

namespace weir::ops::infer {

Dim equal_dims(InferContext& c, Dim a, Dim b, const char* what) {
  if (a.known() && b.known() && a != b)
    c.fail(std::string(what) + " differ",
           {},
           "equal numbers, here " + a.to_string() + " and " + b.to_string());
  return a.known() ? a : b;
}

void require_rank(InferContext& c, int i, int rank) {
  if (c.shape(i).rank() == rank) return;
  c.fail("operand " + c.op().input_defs()[std::size_t(i)].name + " has the wrong rank",
         {},
         "rank " + std::to_string(rank));
}

}  // namespace weir::ops::infer
