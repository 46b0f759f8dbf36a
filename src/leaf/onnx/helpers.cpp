#include "leaf/onnx/helpers.h"

#include <numeric>

#include "io/file/file.h"
#include "leaf/onnx/constant.h"

namespace weir::onnx_io {

std::int64_t check_axis(const NodeContext& c, std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank) {
    c.damaged("axis " + std::to_string(axis) + " of a tensor of rank " + std::to_string(rank));
  }
  return axis < 0 ? axis + rank : axis;
}

List check_axes(const NodeContext& c, List axes, std::int64_t rank) {
  std::vector<bool> seen(static_cast<std::size_t>(rank));
  for (std::int64_t& axis : axes) {
    axis = check_axis(c, axis, rank);
    if (seen[static_cast<std::size_t>(axis)]) c.damaged("an axis is named twice");
    seen[static_cast<std::size_t>(axis)] = true;
  }
  return axes;
}

List known_dims(const NodeContext& c, const Tensor& x) {
  if (!x.shape().is_static()) c.unsupported("a shape that is not known: " + x.describe());
  return x.shape().to_vector();
}

std::int64_t known_dim(const NodeContext& c, const Tensor& x, std::int64_t axis) {
  const std::int64_t d = x.dim(static_cast<int>(axis));
  if (d < 0) c.unsupported("a dimension that is not known: " + x.describe());
  return d;
}

Tensor dims_of(const Tensor& x) {
  if (x.shape().is_static()) return Tensor::from(x.shape().to_vector());
  return shape(x, DType::int64);
}

Tensor as_scalar(const Tensor& x) {
  if (x.rank() == 0) return x;
  if (x.is_symbolic()) return reshape(x, List{});
  const InitScope now;
  return reshape(x, List{});
}

List moved_axis(std::int64_t rank, std::int64_t from, std::int64_t to) {
  List order = iota(rank);
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return order;
}

DType dtype_of_attr(const NodeContext& c, std::int64_t number) {
  const ElemType type = elem_type_from(static_cast<int>(number), "the type attribute");
  if (is_coded(type)) c.unsupported(std::string("the type ") + name(type));
  return storage_dtype(type);
}

std::int64_t table_size(std::initializer_list<std::int64_t> sizes) {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) {
    if (__builtin_mul_overflow(count, size, &count) || count > kMaxTable || count < 0) {
      io::fail(Code::unimplemented, "a table of more than 4,194,304 places");
    }
  }
  return count;
}

List iota(std::int64_t n, std::int64_t from) {
  table_size({n});
  List list(static_cast<std::size_t>(n));
  std::iota(list.begin(), list.end(), from);
  return list;
}

List paddings_of(const List& pads) {
  const std::size_t n = pads.size() / 2;
  List rows;
  for (std::size_t i = 0; i < n; ++i) {
    rows.push_back(pads[i]);
    rows.push_back(pads[i + n]);
  }
  return rows;
}

bool is_narrow(DType t) {
  return t == DType::float16 || t == DType::bfloat16;
}

}  // namespace weir::onnx_io
