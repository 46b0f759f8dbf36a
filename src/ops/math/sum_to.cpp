/// The inverse of broadcasting, for gradients whose shapes are not known at trace time.
#include "ops/define.h"

namespace weir::ops {

OpDef define_sum_to() {
  return OpDef("SumTo")
      .api("sum_to", "math")
      .doc(
          "The sum over the axes along which a tensor of `shape` would be broadcast to the "
          "operand's shape.\n"
          "Errors: `shape` does not broadcast to it.")
      .type("T", kNumeric)
      .input("x", "T")
      .static_operand("shape", {.input = 1, .type_attr = "Tshape"})
      .output("y", "T")
      .example("[2,3] ; shape=[3]")
      .example("[4,2,3] ; shape=[2,1]")
      .example("[2,3] ; shape=[2,3]")
      .example("[2,3] ; shape=[]")
      .example("[0,3] ; shape=[1,3]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

namespace weir::ops {
namespace {

void infer_sum_to(InferContext& c) {
  const auto dims = c.ints(0);
  if (!dims) {
    Shape open = c.ints_count(0) < 0 ? Shape::unknown_rank() : Shape{};
    for (std::int64_t i = 0; i < c.ints_count(0); ++i)
      open.push_back(Dim::unknown());
    return c.set(0, open);
  }
  const ShapeView x = c.shape(0);
  const int lead = x.rank() - int(dims->size());
  bool fits = lead >= 0;
  for (std::size_t i = 0; fits && i < dims->size(); ++i) {
    const Dim have = x[lead + int(i)];
    fits = (*dims)[i] == 1 || ((*dims)[i] >= 0 && (!have.known() || have == Dim((*dims)[i])));
  }
  if (!fits)
    c.fail("the shape does not broadcast to that of the operand",
           c.describe_inputs() + " to " + Shape(*dims).to_string(),
           "dimensions that are equal or 1, compared from the right");
  c.set(0, Shape(*dims));
}

std::vector<Tensor> decompose_sum_to(std::span<const Tensor> inputs,
                                     std::span<const rt::Attr> attrs) {
  const Tensor& x = inputs[0];
  const std::span<const std::int64_t> to(attrs[0].ints, attrs[0].count);
  std::vector<std::int64_t> axes;
  const int lead = x.rank() - int(to.size());
  for (int i = 0; i < x.rank(); ++i) {
    if (i < lead || (to[std::size_t(i - lead)] == 1 && x.dim(i) != 1)) axes.push_back(i);
  }
  if (axes.empty()) return {identity(x)};
  return {reshape(sum(x, axes, true), Ints(to))};
}

}  // namespace

void implement_sum_to(OpDef& op) {
  op.infer(infer_sum_to).decompose(decompose_sum_to).gradient([](GradientContext& g) {
    g.set(0, broadcast_to(g.dy(), g.input_dims(0)));
  });
}

}  // namespace weir::ops
#endif
