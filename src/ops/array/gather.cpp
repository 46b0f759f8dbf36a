/// Elements picked by index.
#include "ops/define.h"

namespace weir::ops {

OpDef define_gather() {
  return OpDef("GatherV2")
      .api("gather", "array")
      .doc("The slices of params along `axis` that indices name: params.shape[:axis] + indices.shape[batch_dims:] +\n"
           "params.shape[axis + 1:]. The first batch_dims axes are common to both operands.\n"
           "The gradient with respect to params is a Slices for axis 0 without batch_dims.\n"
           "Errors: an index outside [0, length of the axis), negative ones included; axis or batch_dims out of range;\n"
           "batch_dims > axis; batch dimensions that differ.")
      .type("Tparams", kAnyType)
      .type("Tindices", kIndex)
      .input("params", "Tparams")
      .input("indices", "Tindices")
      .static_operand("axis", {.input = 2, .scalar = true, .type_attr = "Taxis", .default_value = {0}})
      .attr("batch_dims", 0)
      .output("output", "Tparams")
      .example("[4,3] i32[2,2]:0..3")
      .example("[2,4,3] i64[5]:0..3 ; axis=1")
      .example("[2,4,3] i32[2,5]:0..3 ; axis=1 batch_dims=1");
}

OpDef define_gather_nd() {
  return OpDef("GatherNd")
      .api("gather_nd", "array")
      .doc("The slices of params at the coordinates in the last axis of indices: indices [..., k] ->\n"
           "indices.shape[:-1] + params.shape[k:].\n"
           "Errors: more coordinates than axes; a coordinate out of range.")
      .type("Tparams", kAnyType)
      .type("Tindices", kIndex)
      .input("params", "Tparams")
      .input("indices", "Tindices")
      .output("output", "Tparams")
      .example("[4,3] i32[5,2]:0..2")
      .example("[4,3] i64[2,1]:0..3");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

int batch_dims(InferContext& c) {
  const int rank = c.shape(1).rank();
  const std::int64_t given = c.attr(1).i;
  if (given < -rank || given > rank)
    c.fail("batch_dims out of range", "batch_dims " + std::to_string(given) + " with " + c.describe_inputs(),
           "in [" + std::to_string(-rank) + ", " + std::to_string(rank) + "]");
  return int(given < 0 ? given + rank : given);
}

void infer_gather(InferContext& c) {
  const ShapeView params = c.shape(0), indices = c.shape(1);
  const int batch = batch_dims(c);
  if (params.rank() == 0) c.fail("params is a scalar", {}, "rank 1 or more");
  const auto axis = array::axis(c, 0, params.rank());
  if (!axis) return c.set(0, array::open_shape(params.rank() - 1 + indices.rank() - batch));
  if (batch > *axis)
    c.fail("batch_dims is larger than axis", "batch_dims " + std::to_string(batch) + ", axis " + std::to_string(*axis),
           "batch_dims <= axis");
  Shape out;
  for (int i = 0; i < *axis; ++i)
    out.push_back(i < batch ? array::equal(c, params[i], indices[i], "batch dimensions differ") : params[i]);
  for (int i = batch; i < indices.rank(); ++i) out.push_back(indices[i]);
  for (int i = *axis + 1; i < params.rank(); ++i) out.push_back(params[i]);
  c.set(0, out);
}

void infer_gather_nd(InferContext& c) {
  const ShapeView params = c.shape(0), indices = c.shape(1);
  if (indices.rank() == 0) c.fail("indices is a scalar", {}, "rank 1 or more");
  const Dim depth = indices[indices.rank() - 1];
  if (!depth.known()) return c.set(0, Shape::unknown_rank());
  if (depth.value() > params.rank())
    c.fail("more coordinates than axes", {}, "indices.shape[-1] <= " + std::to_string(params.rank()));
  Shape out;
  for (int i = 0; i + 1 < indices.rank(); ++i) out.push_back(indices[i]);
  for (int i = int(depth.value()); i < params.rank(); ++i) out.push_back(params[i]);
  c.set(0, out);
}

}  // namespace

void implement_gather(OpDef& op) {
  op.infer(infer_gather);
}

void implement_gather_nd(OpDef& op) {
  op.infer(infer_gather_nd);
}

}  // namespace weir::ops
#endif
