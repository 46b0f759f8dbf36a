#include <weir/gradient_tape.h>
#include <weir/ops/array.h>

#include <algorithm>

#include "autodiff/tape.h"

namespace weir::inline v0 {
namespace {

[[noreturn]] void fail(const std::string& what,
                       const std::string& got,
                       const std::string& expected) {
  throw Error({Code::invalid_argument, "GradientTape: " + what, {}, got, expected, {}});
}

Shape shape_of(const GradientSource& source) {
  return source.variable().defined() ? source.variable().shape() : source.tensor().shape();
}

void check(const Tensor& target, const char* what) {
  if (!target.defined())
    fail(std::string(what) + " of an undefined target", "an undefined tensor", "a tensor");
  if (!target.shape().is_static())
    fail(std::string(what) + " of a target of unknown shape", target.describe(), "a static shape");
  if (!is_differentiable(target.dtype()))
    fail(std::string(what) + " of a target without gradient",
         target.describe(),
         "a floating or complex dtype");
}

/// For each i < count a tensor like `target` that is 1 at `i + k * count` for every k, else 0.
std::vector<Tensor> unit_gradients(const Tensor& target, std::int64_t count) {
  std::vector<Tensor> list;
  for (std::int64_t i = 0; i < count; ++i) {
    Tensor dy = Tensor::zeros(target.shape(), target.dtype());
    const Tensor one = Tensor::ones({}, target.dtype());
    const auto bytes = std::size_t(byte_size(target.dtype()));
    const auto* from = static_cast<const char*>(one.raw_data());
    for (std::int64_t e = i; e < target.size(); e += count)
      std::copy(from, from + bytes, static_cast<char*>(dy.impl()->data()) + std::size_t(e) * bytes);
    list.push_back(std::move(dy));
  }
  return list;
}

Shape joined(std::span<const Dim> a, std::span<const Dim> b) {
  Shape shape(a);
  for (Dim d : b)
    shape.push_back(d);
  return shape;
}

}  // namespace

Tensor GradientTape::jacobian(const Tensor& target, const GradientSource& source) {
  check(target, "jacobian");
  const Shape from = target.shape(), to = shape_of(source);
  const std::vector<Tensor> rows =
      tape_->gradients_of_each(target, source, unit_gradients(target, target.size()));
  if (rows.empty()) return Tensor::zeros(joined(from.dims(), to.dims()), target.dtype());
  if (!rows[0].defined()) return {};
  return reshape(stack(rows, 0), joined(from.dims(), to.dims()));
}

Tensor GradientTape::batch_jacobian(const Tensor& target, const GradientSource& source) {
  check(target, "batch_jacobian");
  const Shape from = target.shape(), to = shape_of(source);
  if (from.rank() < 2 || to.rank() < 2 || from[0] != to[0])
    fail("batch_jacobian: the batches differ",
         from.to_string() + " and " + to.to_string(),
         "rank 2 or more and equal first dimensions");
  const std::int64_t inner = from[0] == Dim(0) ? 0 : target.size() / from[0].value();
  const Shape shape = joined(from.dims(), to.dims().subspan(1));
  const std::vector<Tensor> rows =
      tape_->gradients_of_each(target, source, unit_gradients(target, inner));
  if (rows.empty()) return Tensor::zeros(shape, target.dtype());
  if (!rows[0].defined()) return {};
  return reshape(stack(rows, 1), shape);
}

}  // namespace weir::inline v0
