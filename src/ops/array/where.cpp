/// Ops whose results have as many elements as their data say.
#include "ops/define.h"

namespace weir::ops {

OpDef define_where() {
  return OpDef("Where")
      .api("where", "array")
      .doc("The coordinates of the elements that are not zero, in row-major order: int64 [n, rank].")
      .type("T", kPlain)
      .input("condition", "T")
      .output("index", DType::int64)
      .stored_as("condition", "input")
      .traits(Trait::data_shape | Trait::no_gradient)
      .example("b[2,3]")
      .example("i32[4]:0..1")
      .example("b[0,3]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY

namespace weir::ops {

void implement_where(OpDef& op) {
  op.infer([](InferContext& c) { c.set(0, Shape{Dim::unknown(), c.shape(0).rank()}); });
}

}  // namespace weir::ops
#endif
