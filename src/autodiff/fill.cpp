#include "autodiff/fill.h"

#include <weir/ops/array.h>
#include <weir/ops/math.h>

namespace weir::autodiff {
namespace {

/// The number of rows, as a scalar where it is not known.
Tensor symbolic_rows(const Slices& rows) {
  return reshape(slice(rows.dims, {0}, {1}), Ints(Shape{}));
}

Tensor wide(const Tensor& indices) {
  return indices.dtype() == DType::int64 ? indices : cast(indices, DType::int64);
}

}  // namespace

Tensor ones_of(DType dtype, ShapeView shape, const Tensor& like) {
  return shape.is_static() ? Tensor::ones(shape.to_shape(), dtype) : ones_like(like);
}

Tensor zeros_of(DType dtype, ShapeView shape, const Tensor& like) {
  return shape.is_static() ? Tensor::zeros(shape.to_shape(), dtype) : zeros_like(like);
}

Ints dims_of(ShapeView shape, const Tensor& like, Tensor& storage) {
  if (shape.is_static()) return Ints(shape.to_shape());
  storage = weir::shape(like);
  return Ints(storage);
}

Slices join(std::vector<Slices> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  bool same = true;
  for (const Slices& p : parts)
    same = same && p.indices.dtype() == parts[0].indices.dtype();
  std::vector<Tensor> values, indices;
  for (const Slices& p : parts) {
    values.push_back(p.values);
    indices.push_back(same ? p.indices : wide(p.indices));
  }
  return {concat(values, 0), concat(indices, 0), parts[0].shape, parts[0].dims};
}

Tensor to_dense(const Slices& rows) {
  const Dim n = rows.shape.has_rank() && rows.shape.rank() > 0 ? rows.shape[0] : Dim::unknown();
  if (n.known()) return unsorted_segment_sum(rows.values, rows.indices, Ints(n.value()));
  const Tensor count = symbolic_rows(rows);
  return unsorted_segment_sum(rows.values, rows.indices, Ints(count));
}

}  // namespace weir::autodiff
