/// Tensors joined along an axis, and cut apart again.
#include "ops/define.h"

namespace weir::ops {

OpDef define_concat() {
  return OpDef("ConcatV2")
      .api("concat", "array")
      .doc(
          "The operands one after another along an axis that they have: [2, 3] and [4, 3] along "
          "axis 0 -> [6, 3].\n"
          "Errors: scalars; ranks that differ; other dimensions that differ; axis out of range.")
      .type("T", kAnyType)
      .inputs("values", "T", "N")
      .static_operand("axis", {.input = -1, .scalar = true, .type_attr = "Tidx"})
      .output("output", "T")
      .example("[2,3] [4,3] ; axis=0")
      .example("[2,3] [2,0] [2,1] ; axis=-1")
      .example("[3] ; axis=0");
}

OpDef define_stack() {
  return OpDef("Pack")
      .api("stack", "array")
      .doc(
          "The operands, all of one shape, along a new axis: n times [2, 3] along axis 0 -> [n, 2, "
          "3].\n"
          "Errors: shapes that differ; axis outside [-(rank + 1), rank].")
      .type("T", kAnyType)
      .inputs("values", "T", "N")
      .attr("axis", 0)
      .output("output", "T")
      .example("[2,3] [2,3]")
      .example("[2,3] [2,3] [2,3] ; axis=-1")
      .example("[] []");
}

OpDef define_unpack() {
  return OpDef("Unpack")
      .api("unpack", "array")
      .doc(
          "The `num` slices along an axis, without that axis; `unstack` calls it.\n"
          "Errors: num is not the length of the axis; axis out of range.")
      .type("T", kAnyType)
      .input("x", "T")
      .attr("num", rt::Attr::Kind::integer)
      .attr("axis", 0)
      .outputs("output", "T", "num")
      .stored_as("x", "value")
      .example("[2,3] ; num=2")
      .example("[2,3] ; num=3 axis=-1");
}

OpDef define_split() {
  return OpDef("Split")
      .api("split", "array")
      .doc(
          "`num_split` equal parts along an axis.\nErrors: num_split < 1, or it does not divide "
          "the length of the axis.")
      .type("T", kAnyType)
      .input("x", "T")
      .attr("num_split", rt::Attr::Kind::integer)
      .static_operand("axis", {.input = 0, .scalar = true, .default_value = {0}})
      .outputs("output", "T", "num_split")
      .stored_as("x", "value")
      .stored_as("axis", "split_dim")
      .example("[4,3] ; num_split=2")
      .example("[2,6] ; num_split=3 axis=-1");
}

OpDef define_split_v() {
  return OpDef("SplitV")
      .api("split_v", "array")
      .doc(
          "Parts of the given lengths along an axis; one length may be -1: what is left.\n"
          "Errors: a length below -1; two of -1; lengths that do not add up to the axis.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("size_splits", {.input = 1, .type_attr = "Tlen"})
      .static_operand("axis", {.input = 2, .scalar = true, .default_value = {0}})
      .attr("num_split", rt::Attr::Kind::integer)
      .outputs("output", "T", "num_split")
      .stored_as("x", "value")
      .stored_as("axis", "split_dim")
      .example("[5,3] ; size_splits=[1,4] axis=0 num_split=2")
      .example("[2,6] ; size_splits=[2,-1,0] axis=1 num_split=3");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <numeric>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

void check_parts(InferContext& c) {
  const int rank = c.shape(0).rank();
  if (rank == 0) c.fail("scalars cannot be concatenated", {}, "rank 1 or more", "use stack");
  for (int i = 1; i < c.inputs(); ++i) {
    if (i < c.inputs() - (c.attr(0).kind == rt::Attr::Kind::operand) && c.shape(i).rank() != rank)
      c.fail("ranks differ", {}, "operands of one rank");
  }
}

void infer_concat(InferContext& c) {
  check_parts(c);
  const int rank = c.shape(0).rank();
  const auto axis = array::axis(c, 0, rank);
  if (!axis) return c.set(0, array::open_shape(rank));
  const int parts = c.inputs() - (c.attr(0).kind == rt::Attr::Kind::operand);
  Shape out = c.shape(0).to_shape();
  for (int i = 1; i < parts; ++i) {
    for (int d = 0; d < rank; ++d) {
      const Dim other = c.shape(i)[d];
      out[d] = d == *axis ? array::sum(out[d], other)
                          : array::equal(c, out[d], other, "dimensions other than the axis differ");
    }
  }
  c.set(0, out);
}

/// Where a part begins along the axis: integers while all lengths are known, then a tensor.
class Offset {
 public:
  Offset(int rank, int axis) : rank_(rank), axis_(axis) {}
  Ints begin() const { return tensor_.defined() ? Ints(tensor_) : Ints(known_list()); }
  void advance(Dim length, const Ints& dims) {
    if (!tensor_.defined() && length.known()) {
      at_ += length.value();
      return;
    }
    // The shape with all other axes masked out.
    std::vector<std::int64_t> mask(std::size_t(rank_), 0);
    mask[std::size_t(axis_)] = 1;
    const DType dtype = tensor_.defined() ? tensor_.dtype() : dims.tensor()->dtype();
    const Tensor shape = dims.tensor()
                             ? *dims.tensor()
                             : array::integers({dims.values().begin(), dims.values().end()}, dtype);
    const Tensor before = tensor_.defined() ? tensor_ : array::integers(known_list(), dtype);
    tensor_ = add(before, multiply(shape, array::integers(mask, dtype)));
  }

 private:
  std::vector<std::int64_t> known_list() const {
    std::vector<std::int64_t> list(std::size_t(rank_), 0);
    list[std::size_t(axis_)] = at_;
    return list;
  }
  int rank_, axis_;
  std::int64_t at_ = 0;
  Tensor tensor_;
};

/// The parts of dy along an axis that is known at run time only.
void gradient_concat_open(GradientContext& g, int parts, const Tensor& given) {
  const int rank = g.input_shape(0).rank();
  const Tensor axis = array::axis_tensor(given, rank);
  std::vector<std::int64_t> axes(std::size_t(rank), 0);
  std::iota(axes.begin(), axes.end(), 0);
  const Tensor along = equal(array::integers(axes, axis.dtype()), axis);
  Tensor begin;
  for (int i = 0; i < parts; ++i) {
    const Tensor dims = array::dims_tensor(g, i);
    const Tensor length = multiply(dims, cast(along, dims.dtype()));
    if (!begin.defined()) begin = zeros_like(length);
    if (g.needs(i)) g.set(i, slice(g.dy(), begin, dims));
    begin = add(begin, length);
  }
}

void gradient_concat(GradientContext& g) {
  array::require_ranks(g, "ConcatV2");
  const array::Passed given(g, 0);
  if (!given.known()) return gradient_concat_open(g, g.inputs() - 1, given.tensor());
  const int rank = g.input_shape(0).rank();
  const auto axis = int(given.values()[0] < 0 ? given.values()[0] + rank : given.values()[0]);
  Offset offset(rank, axis);
  for (int i = 0; i < g.inputs(); ++i) {
    const Dim length = g.input_shape(i)[axis];
    const Ints dims = g.input_dims(i);
    if (g.needs(i)) {
      std::vector<std::int64_t> size(std::size_t(rank), -1);
      size[std::size_t(axis)] = length.value();
      g.set(i, slice(g.dy(), offset.begin(), length.known() ? Ints(size) : dims));
    }
    offset.advance(length, dims);
  }
}

void infer_stack(InferContext& c) {
  const int rank = c.shape(0).rank();
  const int axis = c.axis(c.attr(0).i, rank + 1);
  Shape one = c.shape(0).to_shape();
  for (int i = 1; i < c.inputs(); ++i) {
    if (c.shape(i).rank() != rank) c.fail("shapes differ", {}, "operands of one shape");
    for (int d = 0; d < rank; ++d)
      one[d] = array::equal(c, one[d], c.shape(i)[d], "shapes differ");
  }
  Shape out;
  for (int i = 0; i <= rank; ++i)
    out.push_back(i < axis ? one[i] : i == axis ? Dim(c.inputs()) : one[i - 1]);
  c.set(0, out);
}

void gradient_stack(GradientContext& g) {
  const std::vector<Tensor> parts = unpack(g.dy(), g.inputs(), g.attr(0).i);
  for (int i = 0; i < g.inputs(); ++i) {
    if (g.needs(i)) g.set(i, parts[std::size_t(i)]);
  }
}

std::vector<Tensor> output_gradients(GradientContext& g) {
  std::vector<Tensor> parts;
  for (int i = 0; i < g.outputs(); ++i)
    parts.push_back(g.dy(i));
  return parts;
}

void infer_unpack(InferContext& c) {
  const ShapeView in = c.shape(0);
  const int axis = c.axis(c.attr(1).i, in.rank());
  const std::int64_t num = c.attr(0).i;
  if (num < 0 || (in[axis].known() && in[axis] != Dim(num)))
    c.fail("num is not the length of the axis",
           "num " + std::to_string(num) + " with " + c.describe_inputs(),
           in[axis].to_string());
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (i != axis) out.push_back(in[i]);
  }
  for (int o = 0; o < c.outputs(); ++o)
    c.set(o, out);
}

/// All outputs have the shape of the input but for the axis.
void set_parts(InferContext& c, std::optional<int> axis, auto length) {
  for (int o = 0; o < c.outputs(); ++o) {
    Shape out = axis ? c.shape(0).to_shape() : array::open_shape(c.shape(0).rank());
    if (axis) out[*axis] = length(o);
    c.set(o, out);
  }
}

void infer_split(InferContext& c) {
  const ShapeView in = c.shape(0);
  const std::int64_t num = c.attr(0).i;
  if (num < 1) c.fail("num_split must be positive", std::to_string(num), "num_split >= 1");
  const auto axis = array::axis(c, 1, in.rank());
  const Dim whole = axis ? in[*axis] : Dim::unknown();
  if (whole.known() && whole.value() % num != 0)
    c.fail("the axis does not divide into equal parts",
           std::to_string(num) + " parts of " + c.describe_inputs(),
           "a divisor of " + whole.to_string(),
           "use split_v with the length of each part");
  set_parts(
      c, axis, [&](int) { return whole.known() ? Dim(whole.value() / num) : Dim::unknown(); });
}

/// The lengths with -1 replaced by what is left of `whole`, if that is known.
std::vector<Dim> part_lengths(InferContext& c, std::span<const std::int64_t> sizes, Dim whole) {
  std::vector<Dim> lengths;
  std::int64_t total = 0;
  int open = -1;
  for (std::int64_t s : sizes) {
    if (s < -1 || (s == -1 && open >= 0) || __builtin_add_overflow(total, s < 0 ? 0 : s, &total))
      c.fail(
          "size_splits must be lengths", Shape(sizes).to_string(), "lengths >= 0, at most one -1");
    if (s == -1) open = int(lengths.size());
    lengths.push_back(s < 0 ? Dim::unknown() : Dim(s));
  }
  if (!whole.known()) return lengths;
  if (open < 0 ? total != whole.value() : total > whole.value())
    c.fail("size_splits do not add up to the axis",
           std::to_string(total) + " with " + c.describe_inputs(),
           whole.to_string());
  if (open >= 0) lengths[std::size_t(open)] = Dim(whole.value() - total);
  return lengths;
}

void infer_split_v(InferContext& c) {
  const auto sizes = c.ints(0);
  const std::int64_t count = c.ints_count(0);
  if (count >= 0 && count != c.outputs())
    c.fail("num_split is not the number of size_splits",
           std::to_string(c.attr(2).i),
           std::to_string(count));
  std::vector<std::int64_t> copy;  // another list may take the place of the first
  if (sizes) copy.assign(sizes->begin(), sizes->end());
  const auto axis = array::axis(c, 1, c.shape(0).rank());
  const Dim whole = axis ? c.shape(0)[*axis] : Dim::unknown();
  std::vector<Dim> lengths(std::size_t(c.outputs()), Dim::unknown());
  if (sizes) lengths = part_lengths(c, copy, whole);
  set_parts(c, axis, [&](int o) { return lengths[std::size_t(o)]; });
}

}  // namespace

void implement_concat(OpDef& op) {
  op.infer(infer_concat).gradient(gradient_concat);
}

void implement_stack(OpDef& op) {
  op.infer(infer_stack).gradient(gradient_stack);
}

void implement_unpack(OpDef& op) {
  op.infer(infer_unpack).gradient([](GradientContext& g) {
    g.set(0, stack(output_gradients(g), g.attr(1).i));
  });
}

void implement_split(OpDef& op) {
  op.infer(infer_split).saves_input({1}).gradient([](GradientContext& g) {
    g.set(0, concat(output_gradients(g), array::Passed(g, 1)));
  });
}

void implement_split_v(OpDef& op) {
  op.infer(infer_split_v).saves_input({1, 2}).gradient([](GradientContext& g) {
    g.set(0, concat(output_gradients(g), array::Passed(g, 1)));
  });
}

}  // namespace weir::ops
#endif
