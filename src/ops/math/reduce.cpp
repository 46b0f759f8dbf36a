/// Reductions along axes.
#include "ops/define.h"

namespace weir::ops {
namespace schema {

inline OpDef reduction(const char* name, const char* function, DTypeSet types, const char* doc) {
  OpDef op(name);
  op.api(function, "math").doc(doc).type("T", types).input("x", "T");
  op.static_operand("axis", {.input = 1, .optional = true, .type_attr = "Tidx"})
      .attr("keepdims", false);
  op.output("output", "T").traits(Trait::reduction);
  op.stored_as("x", "input")
      .stored_as("axis", "reduction_indices")
      .stored_as("keepdims", "keep_dims");
  op.example("[2,3]").example("[4,3,2] ; axis=[0,2]").example("[4,3,2] ; axis=-1 keepdims=true");
  return op;
}

inline OpDef arg_reduction(const char* name, const char* function, const char* doc) {
  OpDef op(name);
  op.api(function, "math").doc(doc).type("T", kReal | DType::boolean).input("x", "T");
  op.static_operand("axis",
                    {.input = 1, .scalar = true, .type_attr = "Tidx", .default_value = {0}});
  op.type_attr("output_type", kIndex, "output_type", DType::int64).output("output", "output_type");
  op.stored_as("x", "input").stored_as("axis", "dimension");
  op.traits(Trait::no_gradient)
      .example("[4,3]")
      .example("[2,3,4] ; axis=-1")
      .example("[3] ; output_type=int32");
  return op;
}

}  // namespace schema

OpDef define_sum() {
  return schema::reduction(
             "Sum", "sum", kNumeric, "Sum along axes; all axes by default. An empty sum is 0.")
      .example("[0,3] ; axis=0");
}
OpDef define_mean() {
  return schema::reduction("Mean",
                           "mean",
                           kNumeric,
                           "Mean along axes; all axes by default. Integers are divided rounding "
                           "toward zero; the mean of\n"
                           "nothing is NaN, of no integers 0.");
}
OpDef define_prod() {
  return schema::reduction("Prod",
                           "prod",
                           kNumeric,
                           "Product along axes; all axes by default. An empty product is 1.")
      .example("[3,0] ; axis=1");
}
OpDef define_max() {
  return schema::reduction("Max",
                           "max",
                           kReal,
                           "Largest element along axes; all axes by default; NaN if there is one. "
                           "Of nothing: the lowest\n"
                           "value of the dtype, -inf. The gradient is shared equally among ties.");
}
OpDef define_min() {
  return schema::reduction(
      "Min",
      "min",
      kReal,
      "Smallest element along axes; all axes by default; NaN if there is one. Of nothing: the\n"
      "highest value of the dtype, inf. The gradient is shared equally among ties.");
}
OpDef define_any() {
  return schema::reduction("Any",
                           "any",
                           DType::boolean,
                           "True if an element along the axes is; all axes by default.")
      .traits(Trait::no_gradient);
}
OpDef define_all() {
  return schema::reduction("All",
                           "all",
                           DType::boolean,
                           "True if every element along the axes is; all axes by default.")
      .traits(Trait::no_gradient);
}

OpDef define_argmax() {
  return schema::arg_reduction(
      "ArgMax",
      "argmax",
      "Index of the largest element along one axis, the lowest one of ties; NaN is never larger.\n"
      "Errors: axis out of range; an axis of length 0.");
}
OpDef define_argmin() {
  return schema::arg_reduction("ArgMin",
                               "argmin",
                               "Index of the smallest element along one axis, the lowest one of "
                               "ties; NaN is never smaller.\n"
                               "Errors: axis out of range; an axis of length 0.");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <algorithm>

#include "ops/math/reduced.h"

namespace weir::ops {
namespace {

void infer_arg_reduction(InferContext& c) {
  const ShapeView x = c.shape(0);
  const auto given = c.ints(0);
  if (!given) {
    if (x.rank() == 0) c.fail("a scalar has no axis", {}, "an input of rank 1 or more");
    Shape out;
    for (int i = 1; i < x.rank(); ++i)
      out.push_back(Dim::unknown());
    return c.set(0, out);
  }
  const int axis = c.axis((*given)[0], x.rank());
  if (x[axis] == Dim(0)) c.fail("the reduced axis is empty", {}, "an axis of length 1 or more");
  Shape out;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis) out.push_back(x[i]);
  }
  c.set(0, out);
}

/// dy goes to the elements that equal the result, in equal shares.
void gradient_extremum(GradientContext& g) {
  const Tensor y = reduced::with_axes(g, g.output()), dy = reduced::with_axes(g, g.dy());
  const Tensor hits = cast(g.input(0) == y, g.input_dtype(0));
  g.set(0, hits * (dy / sum(hits, reduced::axes(g), true)));
}

/// The product of all other elements along the reduced axes, without division: zeros are no special
/// case.
void gradient_prod(GradientContext& g) {
  Tensor partial = g.input(0);
  Tensor others;
  for (std::int64_t axis : reduced::axes(g)) {
    const Tensor along = cumprod(partial, axis, true) * cumprod(partial, axis, true, true);
    others = others.defined() ? others * along : along;
    partial = prod(partial, axis, true);
  }
  const Tensor dy = reduced::with_axes(g, g.dy());
  if (others.defined() && is_complex(others.dtype())) others = conj(others);
  g.set(0, others.defined() ? dy * others : dy);
}

Cost cost_arg(std::span<const SpecView> inputs, std::span<const Spec>, std::span<const rt::Attr>) {
  return {.flops = double(std::max<std::int64_t>(inputs[0].shape.size(), 0))};
}

void gradient_mean(GradientContext& g) {
  const Tensor dy = reduced::spread(g, g.dy());
  const std::int64_t n = reduced::count(g);
  if (n >= 0) return g.set(0, dy / double(n));
  // The same division by the same integer as above, so that the bits are the same.
  const Tensor each = floor_divide(size(dy, DType::int64), maximum(size(g.dy(), DType::int64), 1));
  g.set(0, dy / cast(each, g.input_dtype(0)));
}

}  // namespace

void implement_sum(OpDef& op) {
  op.infer(infer::reduction).gradient([](GradientContext& g) {
    g.set(0, reduced::spread(g, g.dy()));
  });
}
void implement_mean(OpDef& op) {
  op.infer(infer::reduction).gradient(gradient_mean);
}
void implement_prod(OpDef& op) {
  op.infer(infer::reduction).saves_input({0}).gradient(gradient_prod);
}
void implement_max(OpDef& op) {
  op.infer(infer::reduction).saves_input({0}).saves_output({0}).gradient(gradient_extremum);
}
void implement_min(OpDef& op) {
  op.infer(infer::reduction).saves_input({0}).saves_output({0}).gradient(gradient_extremum);
}
void implement_any(OpDef& op) {
  op.infer(infer::reduction);
}
void implement_all(OpDef& op) {
  op.infer(infer::reduction);
}
void implement_argmax(OpDef& op) {
  op.infer(infer_arg_reduction).cost(cost_arg);
}
void implement_argmin(OpDef& op) {
  op.infer(infer_arg_reduction).cost(cost_arg);
}

}  // namespace weir::ops
#endif
