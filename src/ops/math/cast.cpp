#include "ops/define.h"

namespace weir::ops {

OpDef define_cast() {
  return OpDef("Cast")
      .api("cast", "math")
      .doc(
          "The elements converted to another dtype. Floats are truncated toward zero when they "
          "become integers: beyond\n"
          "the range the nearest integer, NaN 0. Integers keep their low bits. Anything but 0 is "
          "true; true is 1.\n"
          "Complex numbers lose their imaginary part. A cast to the same dtype copies nothing.")
      .type("SrcT", kPlain)
      .input("x", "SrcT")
      .type_attr("DstT", kPlain, "dtype")
      .output("y", "DstT")
      .traits(Trait::elementwise)
      .example("[2,3] ; dtype=float32")
      .example("[2,3] ; dtype=float64")
      .example("[2,3]:0..100 ; dtype=int32")
      .example("[2,3] ; dtype=bool");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/math.h>

namespace weir::ops {

void implement_cast(OpDef& op) {
  op.infer(infer::same_as_first)
      .alias([](SpecView x, const Spec& y, std::span<const rt::Attr>) -> std::int64_t {
        return x.dtype == y.dtype ? 0 : -1;
      })
      .gradient([](GradientContext& g) {
        const DType from = g.input_dtype(0);
        if (is_differentiable(from) && is_differentiable(g.dy().dtype()))
          g.set(0, cast(g.dy(), from));
      });
}

}  // namespace weir::ops
#endif
