/// Rectangular parts of a tensor.
#include "ops/define.h"

namespace weir::ops {

OpDef define_slice() {
  return OpDef("Slice")
      .api("slice", "array")
      .doc(
          "The block of `size` elements that starts at `begin`; a size of -1 takes the rest of an "
          "axis. Shares memory\n"
          "where the block is contiguous.\n"
          "Errors: lists that have not one entry per axis; a block that leaves the operand.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("begin", {.input = 1, .type_attr = "Index"})
      .static_operand("size", {.input = 2, .type_attr = "Index"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[4,3] ; begin=[1,0] size=[2,-1]")
      .example("[4,3] ; begin=[0,1] size=[4,2]")
      .example("[4,3] ; begin=[4,0] size=[0,3]");
}

OpDef define_strided_slice() {
  return OpDef("StridedSlice")
      .api("strided_slice", "array")
      .doc(
          "NumPy's basic indexing; `t[{...}]` calls it. Entry i takes begin[i] : end[i] : "
          "strides[i] of an axis.\n"
          "Bit i of a mask changes entry i: begin_mask and end_mask leave a bound open, "
          "ellipsis_mask takes all axes\n"
          "that the other entries leave, new_axis_mask inserts an axis of length 1, "
          "shrink_axis_mask takes one element\n"
          "and drops the axis. Shares memory where the result is contiguous.\n"
          "Errors: more entries than axes; a step of 0; a single index out of range; two ellipses.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("begin", {.input = 1, .type_attr = "Index"})
      .static_operand("end", {.input = 2, .type_attr = "Index"})
      .static_operand("strides", {.input = 3, .type_attr = "Index"})
      .attr("begin_mask", 0)
      .attr("end_mask", 0)
      .attr("ellipsis_mask", 0)
      .attr("new_axis_mask", 0)
      .attr("shrink_axis_mask", 0)
      .output("output", "T")
      .stored_as("x", "input")
      .example("[5,4] ; begin=[1,0] end=[4,4] strides=[1,2]")
      .example("[5,4] ; begin=[-1] end=[0] strides=[-2] end_mask=1")
      .example(
          "[5,4,3] ; begin=[0,0,1] end=[0,0,2] strides=[1,1,1] ellipsis_mask=1 new_axis_mask=2 "
          "shrink_axis_mask=4");
}

OpDef define_strided_slice_grad() {
  return OpDef("StridedSliceGrad")
      .api("strided_slice_grad", "array")
      .doc(
          "Zeros of `shape` with dy where strided_slice, with the same begin, end, strides and "
          "masks, would read.\n"
          "Errors: those of strided_slice; dy without the shape of that slice.")
      .type("T", kAnyType)
      .static_operand("shape", {.input = 0, .type_attr = "Index"})
      .static_operand("begin", {.input = 1, .type_attr = "Index"})
      .static_operand("end", {.input = 2, .type_attr = "Index"})
      .static_operand("strides", {.input = 3, .type_attr = "Index"})
      .input("dy", "T")
      .attr("begin_mask", 0)
      .attr("end_mask", 0)
      .attr("ellipsis_mask", 0)
      .attr("new_axis_mask", 0)
      .attr("shrink_axis_mask", 0)
      .output("output", "T")
      .example("[3,2] ; shape=[5,4] begin=[1,0] end=[4,4] strides=[1,2]");
}

OpDef define_strided_slice_update() {
  return OpDef("TensorStridedSliceUpdate")
      .api("strided_slice_update", "array")
      .doc(
          "A copy of x in which the part that strided_slice, with the same begin, end, strides and "
          "masks, would read is\n"
          "replaced by `value`; `set_slice` calls it.\n"
          "Errors: those of strided_slice; a value without the shape of that slice.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("begin", {.input = 1, .type_attr = "Index"})
      .static_operand("end", {.input = 2, .type_attr = "Index"})
      .static_operand("strides", {.input = 3, .type_attr = "Index"})
      .input("value", "T")
      .attr("begin_mask", 0)
      .attr("end_mask", 0)
      .attr("ellipsis_mask", 0)
      .attr("new_axis_mask", 0)
      .attr("shrink_axis_mask", 0)
      .output("output", "T")
      .stored_as("x", "input")
      .may_share(0, 0)
      .example("[5,4] [3,2] ; begin=[1,0] end=[4,4] strides=[1,2]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "base/strided_slice.h"
#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

using base::SliceItem;
using base::SliceRange;

/// The slice that the attributes from number `first` on describe; lists that are not known are
/// null.
base::StridedSlice spec_of(std::span<const rt::Attr> attrs, std::size_t lists, std::size_t masks) {
  base::StridedSlice s;
  const auto list = [&](std::size_t i) {
    return attrs[i].kind == rt::Attr::Kind::ints ? attrs[i].ints : nullptr;
  };
  s.begin = list(lists);
  s.end = list(lists + 1);
  s.strides = list(lists + 2);
  s.count = int(attrs[lists].count);
  s.begin_mask = attrs[masks].i;
  s.end_mask = attrs[masks + 1].i;
  s.ellipsis_mask = attrs[masks + 2].i;
  s.new_axis_mask = attrs[masks + 3].i;
  s.shrink_axis_mask = attrs[masks + 4].i;
  return s;
}

/// The same in infer, where constants of a graph count as known. The lists must have one length.
struct InferredSlice {
  base::StridedSlice spec;
  bool known = false;   // all three lists
  bool counted = true;  // how many entries they have
  InferredSlice(InferContext& c, int lists, int masks);
};

InferredSlice::InferredSlice(InferContext& c, int lists, int masks) {
  const auto begin = c.ints(lists), end = c.ints(lists + 1), strides = c.ints(lists + 2);
  std::int64_t count = -1;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t n = c.ints_count(lists + i);
    if (n >= 0 && count >= 0 && n != count) c.fail("begin, end and strides differ in length");
    if (n >= 0) count = n;
  }
  counted = count >= 0;
  known = begin && end && strides;
  spec.count = counted ? int(count) : 0;
  if (begin) spec.begin = begin->data();
  if (end) spec.end = end->data();
  if (strides) spec.strides = strides->data();
  spec.begin_mask = c.attr(masks).i;
  spec.end_mask = c.attr(masks + 1).i;
  spec.ellipsis_mask = c.attr(masks + 2).i;
  spec.new_axis_mask = c.attr(masks + 3).i;
  spec.shrink_axis_mask = c.attr(masks + 4).i;
}

void check(InferContext& c, const char* problem, const base::StridedSlice& s, int i, ShapeView in) {
  if (!problem) return;
  std::string got = c.describe_inputs();
  if (i >= 0 && s.begin) got = "index " + std::to_string(s.begin[i]) + " of " + in.to_string();
  c.fail(problem, got);
}

Dim range_length(InferContext& c, const InferredSlice& slice, int i, Dim dim, ShapeView in) {
  const base::StridedSlice& s = slice.spec;
  const bool open = base::mask_bit(s.begin_mask, i) && base::mask_bit(s.end_mask, i);
  if (open && s.strides && (s.strides[i] == 1 || s.strides[i] == -1)) return dim;
  if (!slice.known || !dim.known()) return Dim::unknown();
  SliceRange range;
  check(c, base::resolve_range(s, i, dim.value(), &range), s, i, in);
  return Dim(range.count);
}

Shape sliced(InferContext& c, const InferredSlice& slice, ShapeView in) {
  Shape out;
  const char* problem = base::walk(slice.spec, in.rank(), [&](SliceItem item, int axis, int i) {
    if (item == SliceItem::new_axis) out.push_back(1);
    if (item == SliceItem::whole) out.push_back(in[axis]);
    if (item == SliceItem::range) out.push_back(range_length(c, slice, i, in[axis], in));
    SliceRange range;
    if (item == SliceItem::index && slice.known && in[axis].known())
      check(c, base::resolve_index(slice.spec, i, in[axis].value(), &range), slice.spec, i, in);
  });
  check(c, problem, slice.spec, -1, in);
  return out;
}

void infer_strided_slice(InferContext& c) {
  const InferredSlice slice(c, 0, 3);
  c.set(0, slice.counted ? sliced(c, slice, c.shape(0)) : Shape::unknown_rank());
}

/// Fails unless operand `i` can have the shape of the slice of `whole`.
void check_part(InferContext& c, const InferredSlice& slice, ShapeView whole, int i) {
  if (!slice.counted || !whole.has_rank()) return;
  const Shape expected = sliced(c, slice, whole);
  const ShapeView part = c.shape(i);
  bool same = expected.rank() == part.rank();
  for (int d = 0; same && d < expected.rank(); ++d)
    same = !expected[d].known() || !part[d].known() || expected[d] == part[d];
  if (!same)
    c.fail(c.op().input_defs()[std::size_t(i)].name + " has not the shape of the slice",
           {},
           expected.to_string());
}

void infer_strided_slice_grad(InferContext& c) {
  const auto dims = c.ints(0);
  Shape out = dims ? Shape(*dims) : array::open_shape(c.ints_count(0));
  if (dims && !out.is_static())
    c.fail("a dimension is negative", Shape(*dims).to_string(), "dimensions >= 0");
  check_part(c, InferredSlice(c, 1, 4), out, 0);
  c.set(0, std::move(out));
}

void infer_strided_slice_update(InferContext& c) {
  check_part(c, InferredSlice(c, 0, 3), c.shape(0), 1);
  infer::same_as_first(c);
}

/// Walks the axes of a block from the outermost: its offset in bytes if it is contiguous.
class Contiguous {
 public:
  explicit Contiguous(SpecView in) : in_(in) {}
  void axis(int axis, SliceRange r) {
    const std::int64_t dim = in_.shape[axis].value();
    const bool whole = r.start == 0 && r.count == dim && (r.step == 1 || dim == 1);
    if ((open_ && !whole) || (r.count > 1 && r.step != 1)) ok_ = false;
    open_ = open_ || r.count > 1;
    empty_ = empty_ || r.count == 0;
    offset_ = offset_ * dim + r.start;
  }
  std::int64_t offset() const { return empty_ ? 0 : ok_ ? offset_ * byte_size(in_.dtype) : -1; }

 private:
  SpecView in_;
  std::int64_t offset_ = 0;
  bool ok_ = true, open_ = false, empty_ = false;
};

std::int64_t alias_strided_slice(SpecView in, const Spec&, std::span<const rt::Attr> attrs) {
  const base::StridedSlice s = spec_of(attrs, 0, 3);
  if (attrs[0].kind != rt::Attr::Kind::ints || (s.count && (!s.end || !s.strides))) return -1;
  Contiguous block(in);
  (void)base::walk(s, in.shape.rank(), [&](SliceItem item, int axis, int i) {
    SliceRange range{0, axis < 0 ? 0 : in.shape[axis].value(), 1};
    if (item == SliceItem::range) (void)base::resolve_range(s, i, range.count, &range);
    if (item == SliceItem::index) (void)base::resolve_index(s, i, range.count, &range);
    if (item != SliceItem::new_axis) block.axis(axis, range);
  });
  return block.offset();
}

std::int64_t alias_slice(SpecView in, const Spec& out, std::span<const rt::Attr> attrs) {
  if (attrs[0].kind != rt::Attr::Kind::ints) return -1;
  Contiguous block(in);
  for (int i = 0; i < in.shape.rank(); ++i)
    block.axis(i, {attrs[0].ints[i], out.shape[i].value(), 1});
  return block.offset();
}

Dim block_length(InferContext& c, Dim dim, std::int64_t begin, std::int64_t size) {
  const auto fail = [&] {
    c.fail("the block leaves the operand",
           "begin " + std::to_string(begin) + ", size " + std::to_string(size) + " of " +
               c.describe_inputs(),
           "0 <= begin <= begin + size <= " + dim.to_string());
  };
  if (begin < 0 || size < -1) fail();
  if (!dim.known()) return size >= 0 ? Dim(size) : begin == 0 ? dim : Dim::unknown();
  if (begin > dim.value() || size > dim.value() - begin) fail();
  return Dim(size < 0 ? dim.value() - begin : size);
}

void infer_slice(InferContext& c) {
  const ShapeView in = c.shape(0);
  for (int i = 0; i < 2; ++i) {
    const std::int64_t n = c.ints_count(i);
    if (n >= 0 && n != in.rank())
      c.fail("begin and size need one entry per axis",
             std::to_string(n) + " with " + c.describe_inputs());
  }
  const auto begin = c.ints(0), size = c.ints(1);
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    const auto at = std::size_t(i);
    if (size && begin)
      out.push_back(block_length(c, in[i], (*begin)[at], (*size)[at]));
    else
      out.push_back(size && (*size)[at] >= 0 ? Dim((*size)[at]) : Dim::unknown());
  }
  c.set(0, out);
}

void gradient_slice(GradientContext& g) {
  array::require_ranks(g, "Slice");
  const array::Passed begin(g, 0), size(g, 1);
  const std::vector<std::int64_t> ones(std::size_t(g.input_shape(0).rank()), 1);
  if (!begin.known() || !size.known()) {
    const DType dtype = begin.known() ? size.tensor().dtype() : begin.tensor().dtype();
    const Tensor first = begin.known() ? array::integers(begin.values(), dtype) : begin.tensor();
    const Tensor last = add(first, shape(g.dy(), dtype));
    return g.set(0, strided_slice_grad(g.input_dims(0), first, last, ones, g.dy()));
  }
  std::vector<std::int64_t> end;
  std::int64_t open = 0;
  for (std::size_t i = 0; i < ones.size(); ++i) {
    end.push_back(begin.values()[i] + std::max<std::int64_t>(size.values()[i], 0));
    if (size.values()[i] < 0 && i < 63) open |= std::int64_t(1) << i;
  }
  g.set(0, strided_slice_grad(g.input_dims(0), begin, end, ones, g.dy(), 0, open));
}

void gradient_strided_slice(GradientContext& g) {
  const array::Passed begin(g, 0), end(g, 1), strides(g, 2);
  g.set(0,
        strided_slice_grad(g.input_dims(0),
                           begin,
                           end,
                           strides,
                           g.dy(),
                           g.attr(3).i,
                           g.attr(4).i,
                           g.attr(5).i,
                           g.attr(6).i,
                           g.attr(7).i));
}

void gradient_strided_slice_grad(GradientContext& g) {
  const array::Passed begin(g, 1), end(g, 2), strides(g, 3);
  g.set(0,
        strided_slice(g.dy(),
                      begin,
                      end,
                      strides,
                      g.attr(4).i,
                      g.attr(5).i,
                      g.attr(6).i,
                      g.attr(7).i,
                      g.attr(8).i));
}

void gradient_strided_slice_update(GradientContext& g) {
  const array::Passed begin(g, 0), end(g, 1), strides(g, 2);
  const std::int64_t m[5] = {g.attr(3).i, g.attr(4).i, g.attr(5).i, g.attr(6).i, g.attr(7).i};
  const Tensor part = strided_slice(g.dy(), begin, end, strides, m[0], m[1], m[2], m[3], m[4]);
  if (g.needs(0))
    g.set(0,
          strided_slice_update(
              g.dy(), begin, end, strides, zeros_like(part), m[0], m[1], m[2], m[3], m[4]));
  if (g.needs(1)) g.set(1, part);
}

}  // namespace

void implement_strided_slice_update(OpDef& op) {
  op.infer(infer_strided_slice_update)
      .saves_input({2, 3, 4})
      .gradient(gradient_strided_slice_update);
}

void implement_slice(OpDef& op) {
  op.infer(infer_slice).alias(alias_slice).saves_input({1, 2}).gradient(gradient_slice);
}

void implement_strided_slice(OpDef& op) {
  op.infer(infer_strided_slice)
      .alias(alias_strided_slice)
      .saves_input({1, 2, 3})
      .gradient(gradient_strided_slice);
}

void implement_strided_slice_grad(OpDef& op) {
  op.infer(infer_strided_slice_grad)
      .saves_input({1, 2, 3, 4})
      .gradient(gradient_strided_slice_grad);
}

}  // namespace weir::ops
#endif
