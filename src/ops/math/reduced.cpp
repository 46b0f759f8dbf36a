#include "ops/math/reduced.h"

#include <weir/ops/array.h>

#include <algorithm>

#include "ops/array/helpers.h"

namespace weir::ops::reduced {

std::vector<std::int64_t> axes(const GradientContext& g) {
  array::require_ranks(g, "a reduction");
  const std::int64_t rank = g.input_shape(0).rank();
  const rt::Attr& given = g.attr(0);
  std::vector<std::int64_t> list;
  if (given.kind == rt::Attr::Kind::operand)
    throw Error({Code::unimplemented,
                 "the gradient of a reduction whose axes are computed in the graph",
                 {},
                 {},
                 "axes that are known when the function is traced",
                 "pass the axes as integers"});
  if (!given.has_value()) {
    for (std::int64_t i = 0; i < rank; ++i)
      list.push_back(i);
  }
  for (std::uint32_t i = 0; given.has_value() && i < given.count; ++i)
    list.push_back(given.ints[i] < 0 ? given.ints[i] + rank : given.ints[i]);
  std::sort(list.begin(), list.end());
  return list;
}

std::int64_t count(const GradientContext& g) {
  if (!g.input_shape(0).has_rank()) return -1;
  std::int64_t n = 1;
  for (std::int64_t axis : axes(g)) {
    const Dim d = g.input_shape(0)[int(axis)];
    if (!d.known()) return -1;
    n *= d.value();
  }
  return n;
}

Tensor with_axes(const GradientContext& g, const Tensor& t) {
  array::require_ranks(g, "a reduction");
  const int rank = g.input_shape(0).rank();
  if (t.rank() == rank) return t;
  const std::vector<std::int64_t> reduced = axes(g);
  Shape shape;
  int unknown = 0;
  for (int i = 0; i < rank; ++i) {
    const Dim d =
        std::binary_search(reduced.begin(), reduced.end(), i) ? Dim(1) : g.input_shape(0)[i];
    unknown += !d.known();
    shape.push_back(d);
  }
  if (unknown <= 1) return reshape(t, shape);
  Tensor expanded = t;
  for (std::int64_t axis : reduced)
    expanded = expand_dims(expanded, axis);
  return expanded;
}

Tensor spread(const GradientContext& g, const Tensor& t) {
  // Of all axes, whatever their number.
  if (!g.attr(0).has_value()) return broadcast_to(t, g.input_dims(0));
  return broadcast_to(with_axes(g, t), g.input_dims(0));
}

}  // namespace weir::ops::reduced
