/// NumPy's indexing of tensors: t[0], t[{Slice{0, 2}, 1}], rows.
#include <weir/functions.h>
#include <weir/ops/array.h>

#include "dispatch/call.h"
#include "tensor/convert.h"

namespace weir::inline v0 {
namespace {

/// The entries of an index expression, as StridedSlice takes them.
struct Entries {
  std::vector<std::int64_t> begin, end, strides;
  std::int64_t masks[5] = {};  // begin, end, ellipsis, new axis, shrink

  void add(std::int64_t b, std::int64_t e, std::int64_t s) {
    begin.push_back(b);
    end.push_back(e);
    strides.push_back(s);
  }
  void set(int mask) {
    if (begin.size() < 63) masks[mask] |= std::int64_t(1) << begin.size();
  }
};

void append(Entries& e, const Index& index) {
  const Slice& s = index.slice;
  switch (index.kind) {
    case Index::Kind::integer:
      e.set(4);
      return e.add(s.begin, s.begin == -1 ? INT64_MAX : s.begin + 1, 1);
    case Index::Kind::newaxis:
      e.set(3);
      return e.add(0, 0, 1);
    case Index::Kind::ellipsis:
      e.set(2);
      return e.add(0, 0, 1);
    case Index::Kind::slice:
      break;
  }
  if (s.begin == Slice::kOpen) e.set(0);
  if (s.end == Slice::kOpen) e.set(1);
  e.add(s.begin == Slice::kOpen ? 0 : s.begin, s.end == Slice::kOpen ? 0 : s.end, s.step);
}

Entries entries(std::initializer_list<Index> indices) {
  Entries e;
  for (const Index& i : indices)
    append(e, i);
  return e;
}

Tensor read(Operand t, const Entries& e) {
  return strided_slice(
      t, e.begin, e.end, e.strides, e.masks[0], e.masks[1], e.masks[2], e.masks[3], e.masks[4]);
}

Tensor index(const Tensor& t, std::initializer_list<Index> indices) {
  return read(Operand(t, {}), entries(indices));
}

/// `value` in the shape of the part that it replaces.
Tensor as_part(const Tensor& value, const Tensor& part) {
  const Shape shape = part.shape();
  if (shape.is_static() && value.shape() == shape) return value;
  return shape.is_static() ? broadcast_to(value, shape) : broadcast_to(value, weir::shape(part));
}

}  // namespace

Tensor Tensor::operator[](std::int64_t i) const {
  return index(*this, {Index(i)});
}

Tensor Tensor::operator[](std::initializer_list<Index> indices) const {
  return index(*this, indices);
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const {
  return index(*this, {Index(Slice{begin, end})});
}

Tensor set_slice(Operand x, std::initializer_list<Index> indices, Operand value) {
  const Entries e = entries(indices);
  const dispatch::OperandScope scope({x, value});
  const Tensor t = x.to_tensor();
  const Operand whole(t, x.where());
  const Tensor part = read(whole, e);
  const Tensor v = as_part(
      value.is_scalar() ? tensor::adopt_scalar(value.scalar(), t.dtype()) : value.to_tensor(),
      part);
  return strided_slice_update(whole,
                              e.begin,
                              e.end,
                              e.strides,
                              v,
                              e.masks[0],
                              e.masks[1],
                              e.masks[2],
                              e.masks[3],
                              e.masks[4]);
}

}  // namespace weir::inline v0
