#include "autodiff/fill.h"

#include <weir/ops/array.h>

namespace weir::autodiff {
namespace {

[[noreturn]] void fail(const char* what, const std::string& got) {
  ErrorInfo e;
  e.code = Code::unimplemented;
  e.what = what;
  e.got = got;
  throw Error(e);
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
  if (parts.size() > 1) fail("sum of row gradients", parts[0].values.describe());
  return std::move(parts[0]);
}

Tensor to_dense(const Slices& rows) {
  fail("dense form of a row gradient", rows.values.describe());
}

}  // namespace weir::autodiff
