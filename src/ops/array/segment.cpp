/// Reductions over the rows that share an id.
#include "ops/define.h"

namespace weir::ops {
namespace {

OpDef segment(const char* name, const char* function, const char* what) {
  OpDef op(name);
  op.api(function, "math")
      .doc(std::string(what) +
           " of the rows of data that have the same id: data [n, ...], segment_ids [n] ->\n"
           "[last id + 1, ...]. A segment without rows is 0.\n"
           "Errors: ids that are negative or not sorted; another number of ids than of rows.")
      .type("T", kNumeric)
      .type("Tindices", kIndex)
      .input("data", "T")
      .input("segment_ids", "Tindices")
      .output("output", "T")
      .traits(Trait::data_shape)
      .example("[1,3] i32[1]:2..2");
  return op;
}

OpDef unsorted(
    const char* name, const char* function, DTypeSet types, const char* what, const char* empty) {
  OpDef op(name);
  op.api(function, "math")
      .doc(std::string(what) +
           " of the slices of data that have the same id. The shape of segment_ids is the "
           "beginning of\n"
           "that of data; the result is [num_segments] and the rest. Negative ids are dropped. A "
           "segment without\n"
           "slices is " +
           empty + ".\nErrors: an id >= num_segments; shapes that do not fit.")
      .type("T", types)
      .type("Tindices", kIndex)
      .input("data", "T")
      .input("segment_ids", "Tindices")
      .static_operand("num_segments", {.input = 2, .scalar = true, .type_attr = "Tnumsegments"})
      .output("output", "T")
      .example("[5,3] i32[5]:-1..3 ; num_segments=4")
      .example("[2,3] i64[2,3]:0..4 ; num_segments=6");
  return op;
}

}  // namespace

OpDef define_segment_sum() {
  return segment("SegmentSum", "segment_sum", "The sum");
}
OpDef define_segment_mean() {
  return segment("SegmentMean", "segment_mean", "The mean");
}
OpDef define_unsorted_segment_sum() {
  return unsorted("UnsortedSegmentSum", "unsorted_segment_sum", kNumeric, "The sum", "0");
}
OpDef define_unsorted_segment_prod() {
  return unsorted("UnsortedSegmentProd", "unsorted_segment_prod", kNumeric, "The product", "1");
}
OpDef define_unsorted_segment_max() {
  return unsorted("UnsortedSegmentMax",
                  "unsorted_segment_max",
                  kReal,
                  "The maximum",
                  "the lowest number of the dtype");
}
OpDef define_unsorted_segment_min() {
  return unsorted("UnsortedSegmentMin",
                  "unsorted_segment_min",
                  kReal,
                  "The minimum",
                  "the highest number of the dtype");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "ops/array/helpers.h"
#include "tensor/convert.h"

namespace weir::ops {
namespace {

void infer_segment(InferContext& c) {
  const ShapeView data = c.shape(0), ids = c.shape(1);
  if (ids.rank() != 1 || data.rank() == 0)
    c.fail("segment_ids must be a vector, data of rank 1 or more");
  array::equal(c, data[0], ids[0], "another number of ids than of rows");
  Shape out = data.to_shape();
  out[0] = Dim::unknown();
  if (const Tensor* values = c.value(1)) {  // the kernel checks the ids
    const std::int64_t n = values->size();
    const auto last = n == 0 ? -1
                             : tensor::load(static_cast<const char*>(values->raw_data()) +
                                                (n - 1) * byte_size(c.dtype(1)),
                                            c.dtype(1))
                                   .i;
    if (last < -1 || last == INT64_MAX || (n > 0 && last < 0))
      c.fail("an id is negative", std::to_string(last));
    out[0] = Dim(last + 1);
  }
  c.set(0, out);
}

void infer_unsorted(InferContext& c) {
  const ShapeView data = c.shape(0), ids = c.shape(1);
  const auto num = array::scalar(c, 0);
  if (num && *num < 0)
    c.fail("num_segments is negative", std::to_string(*num), "num_segments >= 0");
  if (ids.rank() > data.rank()) c.fail("segment_ids has more axes than data");
  for (int i = 0; i < ids.rank(); ++i)
    array::equal(
        c, data[i], ids[i], "the shape of segment_ids is not the beginning of that of data");
  Shape out{num ? Dim(*num) : Dim::unknown()};
  for (int i = ids.rank(); i < data.rank(); ++i)
    out.push_back(data[i]);
  c.set(0, out);
}

/// Rank `rank` with the axes of `ids` first, so that it broadcasts over data.
Tensor over_data(const Tensor& ids, int rank) {
  Tensor t = ids;
  for (int i = ids.rank(); i < rank; ++i)
    t = expand_dims(t, -1);
  return t;
}

/// Row ids[i] of `rows` for each i, zeros for a negative id.
Tensor gather_or_zero(const Tensor& rows, const Tensor& ids, int data_rank) {
  const Tensor found = gather(rows, maximum(ids, 0), 0);
  return where(over_data(greater_equal(ids, 0), data_rank), found, zeros_like(found));
}

void gradient_unsorted_sum(GradientContext& g) {
  array::require_ranks(g, "UnsortedSegmentSum");
  g.set(0, gather_or_zero(g.dy(), g.input(1), g.input_shape(0).rank()));
}

/// Equal shares for those that have the extreme value, as TensorFlow has it.
void gradient_unsorted_extreme(GradientContext& g) {
  array::require_ranks(g, "UnsortedSegmentMax or UnsortedSegmentMin");
  const Tensor data = g.input(0), ids = g.input(1);
  const array::Passed num(g, 0);
  const int rank = data.rank();
  const Tensor chosen = equal(data, gather_or_zero(g.output(), ids, rank));
  const Tensor kept = logical_and(chosen, over_data(greater_equal(ids, 0), rank));
  const Tensor count = unsorted_segment_sum(cast(kept, data.dtype()), ids, num);
  const Tensor share = gather_or_zero(divide_no_nan(g.dy(), count), ids, rank);
  g.set(0, where(kept, share, zeros_like(share)));
}

/// dy times the product of the others, also where one of them is 0.
void gradient_unsorted_prod(GradientContext& g) {
  array::require_ranks(g, "UnsortedSegmentProd");
  const Tensor data = g.input(0), ids = g.input(1);
  const array::Passed num(g, 0);
  const int rank = data.rank();
  const Tensor is_zero = equal(data, zeros_like(data));
  const Tensor zeros =
      gather_or_zero(unsorted_segment_sum(cast(is_zero, DType::int32), ids, num), ids, rank);
  const Tensor others = gather_or_zero(
      unsorted_segment_prod(where(is_zero, ones_like(data), data), ids, num), ids, rank);
  const Tensor divisor = where(is_zero, ones_like(data), data);
  const Tensor alone =
      where(is_zero, others, divide(gather_or_zero(g.output(), ids, rank), divisor));
  Tensor product =
      where(greater(subtract(zeros, cast(is_zero, DType::int32)), 0), zeros_like(alone), alone);
  if (is_complex(product.dtype())) product = conj(product);
  g.set(0, multiply(gather_or_zero(g.dy(), ids, rank), product));
}

void gradient_segment_mean(GradientContext& g) {
  const Tensor ids = g.input(1), dy = g.dy();
  const Tensor count = cast(maximum(segment_sum(ones_like(ids), ids), 1), dy.dtype());
  g.set(0, gather(divide(dy, over_data(count, dy.rank())), ids, 0));
}

}  // namespace

void implement_segment_sum(OpDef& op) {
  op.infer(infer_segment).saves_input({1}).gradient([](GradientContext& g) {
    g.set(0, gather(g.dy(), g.input(1), 0));
  });
}
void implement_segment_mean(OpDef& op) {
  op.infer(infer_segment).saves_input({1}).gradient(gradient_segment_mean);
}
void implement_unsorted_segment_sum(OpDef& op) {
  op.infer(infer_unsorted).saves_input({1}).gradient(gradient_unsorted_sum);
}
void implement_unsorted_segment_prod(OpDef& op) {
  op.infer(infer_unsorted)
      .saves_input({0, 1, 2})
      .saves_output({0})
      .gradient(gradient_unsorted_prod);
}
void implement_unsorted_segment_max(OpDef& op) {
  op.infer(infer_unsorted)
      .saves_input({0, 1, 2})
      .saves_output({0})
      .gradient(gradient_unsorted_extreme);
}
void implement_unsorted_segment_min(OpDef& op) {
  op.infer(infer_unsorted)
      .saves_input({0, 1, 2})
      .saves_output({0})
      .gradient(gradient_unsorted_extreme);
}

}  // namespace weir::ops
#endif
