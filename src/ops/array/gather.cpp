/// Elements picked by index.
#include "ops/define.h"

namespace weir::ops {

OpDef define_gather() {
  return OpDef("GatherV2")
      .api("gather", "array")
      .doc(
          "The slices of params along `axis` that indices name: params.shape[:axis] + "
          "indices.shape[batch_dims:] +\n"
          "params.shape[axis + 1:]. The first batch_dims axes are common to both operands.\n"
          "The gradient with respect to params is a Slices for axis 0 without batch_dims.\n"
          "Errors: an index outside [0, length of the axis), negative ones included; axis or "
          "batch_dims out of range;\n"
          "batch_dims > axis; batch dimensions that differ.")
      .type("Tparams", kAnyType)
      .type("Tindices", kIndex)
      .input("params", "Tparams")
      .input("indices", "Tindices")
      .static_operand("axis",
                      {.input = 2, .scalar = true, .type_attr = "Taxis", .default_value = {0}})
      .attr("batch_dims", 0)
      .output("output", "Tparams")
      .example("[4,3] i32[2,2]:0..3")
      .example("[2,4,3] i64[5]:0..3 ; axis=1")
      .example("[2,4,3] i32[2,5]:0..3 ; axis=1 batch_dims=1");
}

OpDef define_gather_nd() {
  return OpDef("GatherNd")
      .api("gather_nd", "array")
      .doc(
          "The slices of params at the coordinates in the last axis of indices: indices [..., k] "
          "->\n"
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
#include <weir/functions.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

int batch_dims(InferContext& c) {
  const int rank = c.shape(1).rank();
  const std::int64_t given = c.attr(1).i;
  if (given < -rank || given > rank)
    c.fail("batch_dims out of range",
           "batch_dims " + std::to_string(given) + " with " + c.describe_inputs(),
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
    c.fail("batch_dims is larger than axis",
           "batch_dims " + std::to_string(batch) + ", axis " + std::to_string(*axis),
           "batch_dims <= axis");
  Shape out;
  for (int i = 0; i < *axis; ++i)
    out.push_back(i < batch ? array::equal(c, params[i], indices[i], "batch dimensions differ")
                            : params[i]);
  for (int i = batch; i < indices.rank(); ++i)
    out.push_back(indices[i]);
  for (int i = *axis + 1; i < params.rank(); ++i)
    out.push_back(params[i]);
  c.set(0, out);
}

void infer_gather_nd(InferContext& c) {
  const ShapeView params = c.shape(0), indices = c.shape(1);
  if (indices.rank() == 0) c.fail("indices is a scalar", {}, "rank 1 or more");
  const Dim depth = indices[indices.rank() - 1];
  if (!depth.known()) return c.set(0, Shape::unknown_rank());
  if (depth.value() > params.rank())
    c.fail(
        "more coordinates than axes", {}, "indices.shape[-1] <= " + std::to_string(params.rank()));
  Shape out;
  for (int i = 0; i + 1 < indices.rank(); ++i)
    out.push_back(indices[i]);
  for (int i = int(depth.value()); i < params.rank(); ++i)
    out.push_back(params[i]);
  c.set(0, out);
}

/// Where the axes of a gather are.
struct Axes {
  int params, indices, batch;
  int axis = -1;      // -1: known at run time only
  Tensor at_runtime;  // int64 scalar

  explicit Axes(GradientContext& g)
      : params(g.input_shape(0).rank()),
        indices(g.input_shape(1).rank()),
        batch(int(g.attr(1).i < 0 ? g.attr(1).i + indices : g.attr(1).i)) {
    const array::Passed given(g, 0);
    if (given.known()) {
      axis = int(given.values()[0] < 0 ? given.values()[0] + params : given.values()[0]);
    } else {
      at_runtime = cast(array::axis_tensor(given.tensor(), params), DType::int64);
    }
  }
  /// Axes of the result that come from indices.
  int inside() const { return indices - batch; }
};

void append(std::vector<std::int64_t>& list, int begin, int end) {
  for (int i = begin; i < end; ++i)
    list.push_back(i);
}

/// The dimensions of params in the order `axes`; -1 means the number of indices.
Tensor reordered(GradientContext& g, const Tensor& x, const std::vector<std::int64_t>& axes) {
  const ShapeView in = g.input_shape(0);
  std::vector<std::int64_t> dims;
  bool known = true;
  for (std::int64_t a : axes) {
    const std::int64_t count = g.input_shape(1).size();
    dims.push_back(a < 0 ? count : in[int(a)].value());
    known = known && dims.back() >= 0;
  }
  if (known) return reshape(x, dims);
  const Ints shape = g.input_dims(0);
  if (!shape.tensor()) {  // only the number of indices is unknown
    for (std::int64_t& d : dims)
      d = d < 0 ? -1 : d;
    return reshape(x, dims);
  }
  std::vector<Tensor> parts;
  for (std::int64_t a : axes)
    parts.push_back(a < 0 ? array::integers({-1}, shape.tensor()->dtype())
                          : slice(*shape.tensor(), a, 1));
  return reshape(x, concat(parts, 0));
}

/// The gradient of whole rows: nothing as large as params is made.
void gradient_rows(GradientContext& g, const Axes& at) {
  std::vector<std::int64_t> axes{-1};
  append(axes, 1, at.params);
  g.set(0,
        Slices{reordered(g, g.dy(), axes), reshape(g.input(1), {-1}), g.input_shape(0).to_shape()});
}

/// The length of axis i of params as a scalar in the dtype of the indices.
Tensor length(GradientContext& g, int i) {
  const DType dtype = g.input_dtype(1);
  const Dim d = g.input_shape(0)[i];
  if (d.known()) return reshape(array::integers({d.value()}, dtype), {});
  const Ints shape = g.input_dims(0);
  return cast((*shape.tensor())[i], dtype);
}

/// The length of the axis of the gather.
Tensor axis_length(GradientContext& g, const Axes& at) {
  if (at.axis >= 0) return length(g, at.axis);
  return cast(gather(array::dims_tensor(g, 0), at.at_runtime), g.input_dtype(1));
}

/// Indices into the batches laid one after another, and how many slices those have.
std::pair<Tensor, Tensor> flat_indices(GradientContext& g, const Axes& at) {
  Tensor count = axis_length(g, at);
  Tensor ids = g.input(1);
  for (int i = at.batch - 1; i >= 0; --i) {
    Tensor first = multiply(range(length(g, i)), count);
    for (int k = i + 1; k < at.indices; ++k)
      first = expand_dims(first, -1);
    ids = add(ids, first);
    count = multiply(count, length(g, i));
  }
  return {ids, count};
}

/// begin, begin + 1 ... end - 1 as a vector of int64.
Tensor run(Operand begin, Operand end) {
  return range(cast(begin, DType::int64), cast(end, DType::int64));
}

/// gradient_gather with permutations that are computed.
void gradient_gather_open(GradientContext& g, const Axes& at) {
  const Tensor axis = at.at_runtime, after = add(axis, 1);
  const Tensor one = reshape(axis, {1}), first = run(0, at.batch), between = run(at.batch, axis);
  const Tensor inner_end = add(axis, at.inside());
  const Tensor to_front = concat(
      {first, run(axis, inner_end), between, run(inner_end, at.params - 1 + at.inside())}, 0);
  const Tensor order = concat({first, one, between, run(after, at.params)}, 0);
  const auto [ids, count] = flat_indices(g, at);
  const Tensor sums = unsorted_segment_sum(transpose(g.dy(), to_front), ids, count);
  const Tensor ordered = reshape(sums, gather(array::dims_tensor(g, 0), order));
  g.set(0, transpose(ordered, invert_permutation(order)));
}

void gradient_gather(GradientContext& g) {
  array::require_ranks(g, "GatherV2");
  const Axes at(g);
  if (at.axis < 0) return gradient_gather_open(g, at);
  if (at.axis == 0 && at.batch == 0) return gradient_rows(g, at);
  std::vector<std::int64_t> to_front, back, order;
  append(to_front, 0, at.batch);
  append(to_front, at.axis, at.axis + at.inside());
  append(to_front, at.batch, at.axis);
  append(to_front, at.axis + at.inside(), at.params - 1 + at.inside());
  append(order, 0, at.batch);
  order.push_back(at.axis);
  append(order, at.batch, at.axis);
  append(order, at.axis + 1, at.params);
  append(back, 0, at.batch);
  append(back, at.batch + 1, at.axis + 1);
  back.push_back(at.batch);
  append(back, at.axis + 1, at.params);
  const auto [ids, count] = flat_indices(g, at);
  const Tensor sums = unsorted_segment_sum(transpose(g.dy(), to_front), ids, count);
  g.set(0, transpose(reordered(g, sums, order), back));
}

void gradient_gather_nd(GradientContext& g) {
  const Tensor indices = g.input(1);
  if (indices.rank() == 2 && g.input_shape(1)[1] == Dim(1))
    return g.set(0, Slices{g.dy(), squeeze(indices, {1}), g.input_shape(0).to_shape()});
  const Ints dims = g.input_dims(0);
  if (!dims.tensor()) return g.set(0, scatter_nd(indices, g.dy(), dims));
  g.set(0, scatter_nd(indices, g.dy(), cast(*dims.tensor(), indices.dtype())));
}

}  // namespace

void implement_gather(OpDef& op) {
  op.infer(infer_gather).saves_input({1, 2}).gradient(gradient_gather);
}

void implement_gather_nd(OpDef& op) {
  op.infer(infer_gather_nd).saves_input({1}).gradient(gradient_gather_nd);
}

}  // namespace weir::ops
#endif
