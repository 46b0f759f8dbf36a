/// Sums and products that run along one axis.
#include "ops/define.h"

namespace weir::ops {
namespace schema {

inline OpDef scan(const char* name, const char* function, const char* doc) {
  OpDef op(name);
  op.api(function, "math").doc(doc).type("T", kNumeric).input("x", "T");
  op.static_operand("axis",
                    {.input = 1, .scalar = true, .type_attr = "Tidx", .default_value = {0}});
  op.attr("exclusive", false).attr("reverse", false).output("out", "T");
  op.example("[4]").example("[2,3] ; axis=-1").example("[2,3,2] ; axis=1 exclusive=true");
  op.example("[2,3] ; axis=0 reverse=true")
      .example("[3] ; exclusive=true reverse=true")
      .example("[0,3]");
  return op;
}

}  // namespace schema

OpDef define_cumsum() {
  return schema::scan("Cumsum",
                      "cumsum",
                      "Element i is the sum of the elements up to and with i along the axis; "
                      "exclusive: without i;\n"
                      "reverse: from the end. Errors: axis out of range; a scalar.");
}
OpDef define_cumprod() {
  return schema::scan(
      "Cumprod",
      "cumprod",
      "Element i is the product of the elements up to and with i along the axis; exclusive: "
      "without i;\n"
      "reverse: from the end. The gradient is 0 where an element is 0, as in TensorFlow.\n"
      "Errors: axis out of range; a scalar.");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/math.h>

#include <algorithm>

namespace weir::ops {
namespace {

void infer_scan(InferContext& c) {
  if (const auto axis = c.ints(0)) c.axis((*axis)[0], c.shape(0).rank());
  infer::same_as_first(c);
}

Cost cost_scan(std::span<const SpecView> inputs, std::span<const Spec>, std::span<const rt::Attr>) {
  return {.flops = double(std::max<std::int64_t>(inputs[0].shape.size(), 0))};
}

Ints axis_of(const GradientContext& g) {
  if (g.attr(0).kind == rt::Attr::Kind::operand)
    throw Error({Code::unimplemented,
                 "the gradient of a scan whose axis is computed in the graph",
                 {},
                 {},
                 "an axis that is known when the function is traced",
                 "pass the axis as an integer"});
  return Ints(std::span<const std::int64_t>(g.attr(0).ints, g.attr(0).count));
}

}  // namespace

void implement_cumsum(OpDef& op) {
  op.infer(infer_scan).cost(cost_scan).gradient([](GradientContext& g) {
    g.set(0, cumsum(g.dy(), axis_of(g), g.attr(1).b, !g.attr(2).b));
  });
}
void implement_cumprod(OpDef& op) {
  op.infer(infer_scan)
      .cost(cost_scan)
      .saves_input({0})
      .saves_output({0})
      .gradient([](GradientContext& g) {
        const bool conjugate = is_complex(g.input_dtype(0));
        const Tensor x = conjugate ? conj(g.input(0)) : g.input(0);
        const Tensor y = conjugate ? conj(g.output()) : g.output();
        const Tensor weighted = cumsum(g.dy() * y, axis_of(g), g.attr(1).b, !g.attr(2).b);
        g.set(0, conjugate ? divide(weighted, x) : divide_no_nan(weighted, x));
      });
}

}  // namespace weir::ops
#endif
