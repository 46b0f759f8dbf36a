/// Whether the true class is among the most likely ones.
#include "ops/define.h"

namespace weir::ops {

OpDef define_in_top_k() {
  return OpDef("InTopKV2")
      .api("in_top_k", "nn")
      .doc(
          "True for a row whose target is among its k largest predictions: fewer than k "
          "predictions are larger. False where\n"
          "the target is outside [0, classes) or a prediction of the row is not finite.\n"
          "Shapes: predictions [batch, classes], targets [batch], k a scalar -> bool [batch].\n"
          "Errors: other ranks; different batches.")
      .type("T", kIndex)
      .input("predictions", DType::float32)
      .input("targets", "T")
      .input("k", "T")
      .output("precision", DType::boolean)
      .traits(Trait::no_gradient)
      .example("[3,5] i32[3]:0..4 i32[]:1..3")
      .example("[3,5] i64[3]:0..4 i64[]:1..3");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY

#include "ops/nn/shapes.h"

namespace weir::ops {

void implement_in_top_k(OpDef& op) {
  op.infer([](InferContext& c) {
    infer::require_rank(c, 0, 2);
    infer::require_rank(c, 1, 1);
    infer::require_rank(c, 2, 0);
    c.set(0,
          Shape{infer::equal_dims(
              c, c.shape(0)[0], c.shape(1)[0], "batches of predictions and targets")});
  });
}

}  // namespace weir::ops
#endif
