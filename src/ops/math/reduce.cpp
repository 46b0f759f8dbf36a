/// Reductions along axes.
#include "ops/define.h"

namespace weir::ops {

OpDef define_sum() {
  return OpDef("Sum")
      .api("sum", "math")
      .doc("Sum along axes; all axes by default. An empty sum is 0.")
      .type("T", kNumeric)
      .input("x", "T")
      .static_operand("axis", {.input = 1, .optional = true, .type_attr = "Tidx"})
      .attr("keepdims", false)
      .output("output", "T")
      .stored_as("x", "input")
      .stored_as("axis", "reduction_indices")
      .stored_as("keepdims", "keep_dims")
      .traits(Trait::reduction)
      .example("[2,3]")
      .example("[4,3,2] ; axis=[0,2]")
      .example("[4,3,2] ; axis=-1 keepdims=true")
      .example("[0,3] ; axis=0");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

namespace weir::ops {

void implement_sum(OpDef& op) {
  op.infer(infer::reduction).gradient([](GradientContext& g) {
    (void)g;
  });
}

}  // namespace weir::ops
#endif
