#include "autodiff/fill.h"

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
  if (!shape.is_static()) fail("gradient of a tensor of unknown shape", like.describe());
  return Tensor::ones(shape.to_shape(), dtype);
}

Tensor zeros_of(DType dtype, ShapeView shape, const Tensor& like) {
  if (!shape.is_static()) fail("gradient of a tensor of unknown shape", like.describe());
  return Tensor::zeros(shape.to_shape(), dtype);
}

Ints dims_of(ShapeView shape, const Tensor& like, Tensor&) {
  if (!shape.is_static()) fail("gradient of a tensor of unknown shape", like.describe());
  return Ints(shape.to_shape());
}

Slices join(std::vector<Slices> parts) {
  if (parts.size() > 1) fail("sum of row gradients", parts[0].values.describe());
  return std::move(parts[0]);
}

Tensor to_dense(const Slices& rows) {
  fail("dense form of a row gradient", rows.values.describe());
}

}  // namespace weir::autodiff
