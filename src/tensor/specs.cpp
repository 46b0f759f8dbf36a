#include "tensor/specs.h"

#include "tensor/convert.h"
#include "tensor/tensor_impl.h"

namespace weir::tensor {

bool may_be_equal(ShapeView a, ShapeView b) {
  if (!a.has_rank() || !b.has_rank()) return true;
  if (a.rank() != b.rank()) return false;
  for (int i = 0; i < a.rank(); ++i) {
    if (a[i].known() && b[i].known() && a[i] != b[i]) return false;
  }
  return true;
}

bool fits(SpecView value, const Spec& wanted) {
  if (value.dtype != wanted.dtype) return false;
  if (!wanted.shape.has_rank()) return true;
  if (!value.shape.has_rank() || value.shape.rank() != wanted.shape.rank()) return false;
  for (int i = 0; i < value.shape.rank(); ++i) {
    if (wanted.shape[i].known() && value.shape[i] != wanted.shape[i]) return false;
  }
  return true;
}

const Tensor* known_value(const Tensor& t) {
  const TensorImpl& p = *t.impl();
  return p.is_symbolic() ? p.source()->constant_value(p.node(), p.output()) : &t;
}

std::vector<std::int64_t> integers(const Tensor& t) {
  std::vector<std::int64_t> values;
  values.reserve(std::size_t(t.size()));
  const auto* p = static_cast<const char*>(t.raw_data());
  for (std::int64_t i = 0; i < t.size(); ++i)
    values.push_back(load(p + i * byte_size(t.dtype()), t.dtype()).i);
  return values;
}

Tensor without_elements(DType dtype, ShapeView shape) {
  alignas(64) static std::byte nothing[64];
  return TensorImpl::over(wrap_buffer(nothing, 0, nullptr, nullptr), dtype, shape);
}

}  // namespace weir::tensor
