/// Elements by rank of value; see also `sort` and `argsort`.
#include "ops/define.h"

namespace weir::ops {
namespace {

OpDef bound(const char* name, const char* function, const char* what) {
  OpDef op(name);
  op.api(function, "array")
      .doc(std::string("For each value the first position in a sorted row that holds ") + what +
           ": sorted_inputs [rows, n],\nvalues [rows, m] -> [rows, m]. `searchsorted` calls it.\n"
           "Errors: ranks other than 2; different numbers of rows. Rows that are not sorted give "
           "some position.")
      .type("T", kReal)
      .input("sorted_inputs", "T")
      .input("values", "T")
      .type_attr("out_type", kIndex, "out_type", DType::int32)
      .output("output", "out_type")
      .traits(Trait::no_gradient)
      .example("[2,1] [2,4]");
  return op;
}

}  // namespace

OpDef define_top_k() {
  return OpDef("TopKV2")
      .api("top_k", "array")
      .doc(
          "The k largest values along the last axis in descending order, and where they stood. Of "
          "equal values the one\n"
          "of lower index comes first; NaN counts as smaller than all numbers.\n"
          "Errors: a scalar; k negative or larger than the axis.")
      .type("T", kReal)
      .input("x", "T")
      .static_operand("k", {.input = 1, .scalar = true, .type_attr = "Tk"})
      .attr("sorted", true)
      .output("values", "T")
      .output("indices", DType::int32)
      .stored_as("x", "input")
      .example("[5] ; k=3")
      .example("[2,4] ; k=4")
      .example("[2,4] ; k=0");
}

OpDef define_lower_bound() {
  return bound("LowerBound", "lower_bound", "no smaller value");
}
OpDef define_upper_bound() {
  return bound("UpperBound", "upper_bound", "a greater value");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/functions.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

void infer_top_k(InferContext& c) {
  const ShapeView in = c.shape(0);
  if (in.rank() == 0) c.fail("the operand is a scalar", {}, "rank 1 or more");
  const auto k = array::scalar(c, 0);
  const Dim n = in[in.rank() - 1];
  if (k && (*k < 0 || (n.known() && *k > n.value())))
    c.fail("k out of range",
           "k " + std::to_string(*k) + " with " + c.describe_inputs(),
           "in [0, " + n.to_string() + "]");
  if (n.known() && n.value() > INT32_MAX) c.fail("the axis is too long for int32 indices");
  Shape out = in.to_shape();
  out[in.rank() - 1] = k ? Dim(*k) : Dim::unknown();
  c.set(0, out);
  c.set(1, out);
}

/// dy goes back to where the values stood: rows are laid one after another, so one scatter does it.
void gradient_top_k(GradientContext& g) {
  array::require_ranks(g, "TopKV2");
  const Tensor indices = g.output(1);
  const Ints dims = g.input_dims(0);
  const ShapeView in = g.input_shape(0);
  const Dim n = in[in.rank() - 1];
  const bool empty = g.output_shape(1).size() == 0 || g.output_shape(1)[in.rank() - 1] == Dim(0);
  if (n == Dim(0) || empty) return g.set(0, zeros(dims, g.dy().dtype()));
  const Tensor whole =
      dims.tensor() ? *dims.tensor()
                    : array::integers({dims.values().begin(), dims.values().end()}, DType::int64);
  const Tensor length = cast(whole[-1], DType::int64);
  const Dim k = g.output_shape(1)[in.rank() - 1];
  const Tensor wide = cast(indices, DType::int64);
  Tensor as_rows;  // k may turn out to be 0, beside which there can be no -1
  if (!k.known()) {
    const Tensor lead = prod(slice(cast(whole, DType::int64), 0, in.rank() - 1));
    as_rows = stack({lead, shape(wide, DType::int64)[-1]});
  }
  const Tensor rows = k.known() ? reshape(wide, {-1, k.value()}) : reshape(wide, as_rows);
  const Tensor first = multiply(range(shape(rows, DType::int64)[0]), length);
  const Tensor flat = reshape(add(rows, expand_dims(first, 1)), {-1, 1});
  const Tensor total = multiply(shape(rows, DType::int64)[0], length);
  g.set(0, reshape(scatter_nd(flat, reshape(g.dy(), {-1}), reshape(total, {1})), dims));
}

void infer_bound(InferContext& c) {
  if (c.shape(0).rank() != 2 || c.shape(1).rank() != 2) c.fail("operands must be of rank 2");
  array::equal(c, c.shape(0)[0], c.shape(1)[0], "different numbers of rows");
  c.set(0, c.shape(1).to_shape());
}

}  // namespace

void implement_top_k(OpDef& op) {
  op.infer(infer_top_k).saves_output({1}).gradient(gradient_top_k);
}
void implement_lower_bound(OpDef& op) {
  op.infer(infer_bound);
}
void implement_upper_bound(OpDef& op) {
  op.infer(infer_bound);
}

}  // namespace weir::ops
#endif
