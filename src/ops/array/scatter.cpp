/// Slices written, or combined, at coordinates.
#include "ops/define.h"

namespace weir::ops {
namespace {

OpDef tensor_scatter(const char* name, const char* function, DTypeSet types, const char* what) {
  OpDef op(name);
  op.api(function, "array")
      .doc(std::string("A copy of x in which ") + what +
           "\nindices [..., k] are coordinates, updates has the shape indices.shape[:-1] + "
           "x.shape[k:].\n"
           "Errors: more coordinates than axes; a coordinate out of range; updates of another "
           "shape.")
      .type("T", types)
      .type("Tindices", kIndex)
      .input("x", "T")
      .input("indices", "Tindices")
      .input("updates", "T")
      .output("output", "T")
      .stored_as("x", "tensor")
      .may_share(0, 0)
      .example("[4,3] i32[3,1]:permutation [3,3]");
  return op;
}

/// Where several updates meet, in any order.
OpDef with_duplicates(OpDef op) {
  return op.example("[4,3] i32[5,1]:0..3 [5,3]").example("[4,3] i64[2,3,2]:0..2 [2,3]");
}

}  // namespace

OpDef define_scatter_nd() {
  return OpDef("ScatterNd")
      .api("scatter_nd", "array")
      .doc(
          "Zeros of `shape` to which updates are added at indices [..., k]: the coordinates of "
          "slices\n"
          "shape[k:]. Duplicates add up.\n"
          "Errors: more coordinates than axes; a coordinate out of range; updates of another "
          "shape.")
      .type("Tindices", kIndex)
      .type("T", kNumeric)
      .input("indices", "Tindices")
      .input("updates", "T")
      .static_operand("shape", {.input = 2, .type_attr = "Tindices"})
      .output("output", "T")
      .example("i32[4,1]:0..5 f32[4] ; shape=[6]")
      .example("i64[3,1]:0..2 f32[3,2] ; shape=[3,2]");
}

OpDef define_tensor_scatter_update() {
  return tensor_scatter(
      "TensorScatterUpdate",
      "tensor_scatter_update",
      kAnyType,
      "the slices at indices are replaced by updates; of duplicates the last counts.");
}
OpDef define_tensor_scatter_add() {
  return with_duplicates(
      tensor_scatter("TensorScatterAdd",
                     "tensor_scatter_add",
                     kNumeric,
                     "updates are added to the slices at indices; duplicates add up."));
}
OpDef define_tensor_scatter_sub() {
  return with_duplicates(
      tensor_scatter("TensorScatterSub",
                     "tensor_scatter_sub",
                     kNumeric,
                     "updates are subtracted from the slices at indices; duplicates add up."));
}
OpDef define_tensor_scatter_mul() {
  return tensor_scatter(
             "TensorScatterMul",
             "tensor_scatter_mul",
             kNumeric,
             "the slices at indices are multiplied by updates. No gradient: scatter_mul calls it.")
      .traits(Trait::no_gradient);
}
OpDef define_tensor_scatter_div() {
  return tensor_scatter(
             "TensorScatterDiv",
             "tensor_scatter_div",
             kNumeric,
             "the slices at indices are divided by updates; integers are truncated. No gradient:\n"
             "scatter_div calls it. Error: integer division by zero.")
      .traits(Trait::no_gradient);
}
OpDef define_tensor_scatter_max() {
  return with_duplicates(
      tensor_scatter("TensorScatterMax",
                     "tensor_scatter_max",
                     kReal,
                     "the slices at indices become the greater of them and updates."));
}
OpDef define_tensor_scatter_min() {
  return with_duplicates(
      tensor_scatter("TensorScatterMin",
                     "tensor_scatter_min",
                     kReal,
                     "the slices at indices become the smaller of them and updates."));
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

/// updates must be indices.shape[:-1] + whole[k:].
void check_updates(InferContext& c, ShapeView indices, ShapeView updates, ShapeView whole) {
  if (indices.rank() == 0) c.fail("indices is a scalar", {}, "rank 1 or more");
  const int lead = indices.rank() - 1;
  const Dim depth = indices[lead];
  if (!depth.known() || !whole.has_rank()) return;
  if (depth.value() > whole.rank())
    c.fail(
        "more coordinates than axes", {}, "indices.shape[-1] <= " + std::to_string(whole.rank()));
  Shape expected;
  for (int i = 0; i < lead; ++i)
    expected.push_back(indices[i]);
  for (int i = int(depth.value()); i < whole.rank(); ++i)
    expected.push_back(whole[i]);
  bool same = expected.rank() == updates.rank();
  for (int i = 0; same && i < updates.rank(); ++i)
    same = !expected[i].known() || !updates[i].known() || expected[i] == updates[i];
  if (!same) c.fail("updates has another shape", {}, "updates " + expected.to_string());
}

void infer_scatter_nd(InferContext& c) {
  const auto dims = c.ints(0);
  const Shape out = dims ? Shape(*dims) : array::open_shape(c.ints_count(0));
  for (std::int64_t d : dims.value_or(std::span<const std::int64_t>{})) {
    if (d < 0) c.fail("a dimension is negative", Shape(*dims).to_string(), "dimensions >= 0");
  }
  check_updates(c, c.shape(0), c.shape(1), out);
  c.set(0, out);
}

void infer_tensor_scatter(InferContext& c) {
  check_updates(c, c.shape(1), c.shape(2), c.shape(0));
  infer::same_as_first(c);
}

void gradient_update(GradientContext& g) {
  const Tensor indices = g.input(1);
  if (g.needs(0)) {
    const Tensor updates = gather_nd(g.dy(), indices);
    g.set(0, tensor_scatter_update(g.dy(), indices, zeros_like(updates)));
  }
  if (g.needs(2)) g.set(2, gather_nd(g.dy(), indices));
}

void gradient_add(GradientContext& g) {
  if (g.needs(0)) g.set(0, g.dy());
  if (g.needs(2)) g.set(2, gather_nd(g.dy(), g.input(1)));
}

void gradient_sub(GradientContext& g) {
  if (g.needs(0)) g.set(0, g.dy());
  if (g.needs(2)) g.set(2, negative(gather_nd(g.dy(), g.input(1))));
}

/// The gradient of an element is shared equally by those that have its value, as TensorFlow shares
/// it.
void gradient_extreme(GradientContext& g) {
  const Tensor x = g.input(0), indices = g.input(1), updates = g.input(2), y = g.output();
  const Tensor from_x = cast(equal(x, y), y.dtype());
  const Tensor from_updates = cast(equal(updates, gather_nd(y, indices)), y.dtype());
  const Tensor share = divide(g.dy(), tensor_scatter_add(from_x, indices, from_updates));
  if (g.needs(0)) g.set(0, multiply(share, from_x));
  if (g.needs(2)) g.set(2, multiply(gather_nd(share, indices), from_updates));
}

}  // namespace

void implement_scatter_nd(OpDef& op) {
  op.infer(infer_scatter_nd).saves_input({0}).gradient([](GradientContext& g) {
    g.set(1, gather_nd(g.dy(), g.input(0)));
  });
}

void implement_tensor_scatter_update(OpDef& op) {
  op.infer(infer_tensor_scatter).saves_input({1}).gradient(gradient_update);
}
void implement_tensor_scatter_add(OpDef& op) {
  op.infer(infer_tensor_scatter).saves_input({1}).gradient(gradient_add);
}
void implement_tensor_scatter_sub(OpDef& op) {
  op.infer(infer_tensor_scatter).saves_input({1}).gradient(gradient_sub);
}
void implement_tensor_scatter_mul(OpDef& op) {
  op.infer(infer_tensor_scatter);
}
void implement_tensor_scatter_div(OpDef& op) {
  op.infer(infer_tensor_scatter);
}
void implement_tensor_scatter_max(OpDef& op) {
  op.infer(infer_tensor_scatter)
      .saves_input({0, 1, 2})
      .saves_output({0})
      .gradient(gradient_extreme);
}
void implement_tensor_scatter_min(OpDef& op) {
  op.infer(infer_tensor_scatter)
      .saves_input({0, 1, 2})
      .saves_output({0})
      .gradient(gradient_extreme);
}

}  // namespace weir::ops
#endif
