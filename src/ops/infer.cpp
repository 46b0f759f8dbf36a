#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <algorithm>

#include "ops/define.h"

namespace weir::ops {
namespace infer {
namespace {

/// The dimension of two that are broadcast together. An unknown one meets a value other than 1:
/// that value.
Dim broadcast_dim(InferContext& c, Dim a, Dim b, ShapeView sa, ShapeView sb) {
  if (a.same(b) || b == Dim(1)) return a;
  if (a == Dim(1)) return b;
  if (a.known() && b.known())
    c.fail("incompatible shapes: " + sa.to_string() + " vs. " + sb.to_string(),
           {},
           "dimensions that are equal or 1, compared from the right",
           "reshape or expand_dims one of them");
  if (a.known()) return a;
  if (b.known()) return b;
  return Dim::unknown();
}

bool same_dims(ShapeView a, ShapeView b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return false;
  for (int i = 0; i < a.rank(); ++i) {
    if (!a[i].same(b[i])) return false;
  }
  return true;
}

void set_all(InferContext& c, ShapeView shape) {
  for (int o = 0; o < c.outputs(); ++o)
    c.set_dims(o, shape);
}

}  // namespace

Shape broadcast(InferContext& c, ShapeView a, ShapeView b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank());
    const int ib = i - (rank - b.rank());
    out.push_back(ia < 0 ? b[ib] : ib < 0 ? a[ia] : broadcast_dim(c, a[ia], b[ib], a, b));
  }
  return out;
}

void elementwise(InferContext& c) {
  const ShapeView first = c.shape(0);
  int same = 1;
  while (same < c.inputs() && same_dims(first, c.shape(same)))
    ++same;
  if (same == c.inputs()) return set_all(c, first);
  Shape shape = first.to_shape();
  for (int i = same; i < c.inputs(); ++i)
    shape = broadcast(c, shape, c.shape(i));
  set_all(c, shape);
}

void same_as_first(InferContext& c) {
  set_all(c, c.shape(0));
}

void scalar(InferContext& c) {
  for (int o = 0; o < c.outputs(); ++o)
    c.set(o, Shape{});
}

std::vector<int> axes(InferContext& c, int attr, int rank) {
  std::vector<int> list;
  const auto given = c.ints(attr);
  if (!given) {
    for (int i = 0; i < rank; ++i)
      list.push_back(i);
    return list;
  }
  for (std::int64_t a : *given)
    list.push_back(c.axis(a, rank));
  std::sort(list.begin(), list.end());
  if (std::adjacent_find(list.begin(), list.end()) != list.end())
    c.fail("an axis is named twice", {}, "distinct axes");
  return list;
}

void reduction(InferContext& c) {
  const int axis = c.op().attr_index("axis");
  const int keepdims = c.op().attr_index("keepdims");
  const bool keep = keepdims >= 0 && c.attr(keepdims).b;
  const ShapeView in = c.shape(0);
  if (!c.absent(axis) && !c.ints(axis)) {  // the axes are not known yet
    Shape out = Shape::unknown_rank();
    if (keep) {
      out = Shape{};
      for (int i = 0; i < in.rank(); ++i)
        out.push_back(Dim::unknown());
    }
    for (int o = 0; o < c.outputs(); ++o)
      c.set(o, out);
    return;
  }
  const std::vector<int> reduced = axes(c, axis, in.rank());
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (!std::binary_search(reduced.begin(), reduced.end(), i)) {
      out.push_back(in[i]);
    } else if (keep) {
      out.push_back(1);
    }
  }
  for (int o = 0; o < c.outputs(); ++o)
    c.set(o, out);
}

}  // namespace infer

namespace {

/// Whether an axis was broadcast is not known where a size may or may not be 1.
bool is_decided(Dim from, Dim to) {
  return from.same(to) || (to.known() && (to != Dim(1) || from.known())) || from == Dim(1);
}

}  // namespace

Tensor unbroadcast(const GradientContext& g, int input, Tensor gradient) {
  const ShapeView from = g.output_shape(0);
  const ShapeView to = g.input_shape(input);
  if (!from.has_rank() || !to.has_rank()) return sum_to(gradient, g.input_dims(input));
  std::vector<std::int64_t> axes;
  const int lead = from.rank() - to.rank();
  for (int i = 0; i < from.rank(); ++i) {
    if (i >= lead && !is_decided(from[i], to[i - lead]))
      return sum_to(gradient, g.input_dims(input));
    if (i < lead || (to[i - lead] == Dim(1) && from[i] != Dim(1))) axes.push_back(i);
  }
  if (axes.empty()) return gradient;
  return reshape(sum(gradient, axes, true), g.input_dims(input));
}

}  // namespace weir::ops
