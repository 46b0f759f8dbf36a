#include "ops/array/helpers.h"

#include <weir/ops/array.h>
#include <weir/ops/math.h>

namespace weir::ops::array {

std::optional<std::int64_t> scalar(InferContext& c, int attr) {
  const auto list = c.ints(attr);
  if (!list) return std::nullopt;
  if (list->size() != 1)
    c.fail(c.op().attrs()[std::size_t(attr)].name + " must be one integer",
           std::to_string(list->size()) + " integers",
           "one integer");
  return (*list)[0];
}

std::optional<int> axis(InferContext& c, int attr, int rank) {
  const auto value = scalar(c, attr);
  if (!value) return std::nullopt;
  return c.axis(*value, rank);
}

Shape open_shape(std::int64_t rank) {
  Shape s = rank < 0 ? Shape::unknown_rank() : Shape{};
  for (std::int64_t i = 0; i < rank; ++i)
    s.push_back(Dim::unknown());
  return s;
}

Dim sum(Dim a, Dim b) {
  if (a == Dim(0)) return b;
  if (b == Dim(0)) return a;
  if (!a.known() || !b.known()) return Dim::unknown();
  std::int64_t total = 0;
  return __builtin_add_overflow(a.value(), b.value(), &total) ? Dim(INT64_MAX) : Dim(total);
}

Dim equal(InferContext& c, Dim a, Dim b, const char* what) {
  if (a.known() && b.known() && a != b) c.fail(what, {}, a.to_string() + " in both");
  return a.known() || b == Dim::unknown() ? a : b.known() || a == Dim::unknown() ? b : a;
}

void require_scalar(InferContext& c, int i) {
  if (c.shape(i).rank() != 0)
    c.fail(
        c.op().input_defs()[std::size_t(i)].name + " must be a scalar", {}, "a tensor of rank 0");
}

Passed::Passed(const GradientContext& g, int attr) {
  const rt::Attr& a = g.attr(attr);
  if (a.kind == rt::Attr::Kind::operand) {
    tensor_ = g.input(int(a.i));
  } else if (a.kind == rt::Attr::Kind::ints) {
    values_.assign(a.ints, a.ints + a.count);
  } else {
    absent_ = true;
  }
}

Tensor integers(const std::vector<std::int64_t>& list, DType dtype) {
  if (dtype == DType::int64) return Tensor::from(list);
  return Tensor::from(std::vector<std::int32_t>(list.begin(), list.end()));
}

void require_ranks(const GradientContext& g, const char* op) {
  for (int i = 0; i < g.inputs(); ++i) {
    if (g.input_shape(i).has_rank()) continue;
    throw Error(
        {Code::unimplemented,
         std::string(op) + ": the gradient needs operands of known rank",
         {},
         "input " + std::to_string(i) + " of unknown rank",
         {},
         "give the shape in the signature, with -1 for what is not known, or ensure_shape"});
  }
}

Tensor axis_tensor(const Tensor& axis, int rank) {
  return floormod(reshape(axis, {}), rank);
}

Tensor dims_tensor(const GradientContext& g, int i) {
  const Ints dims = g.input_dims(i);
  if (dims.tensor()) return *dims.tensor();
  return integers({dims.values().begin(), dims.values().end()}, DType::int32);
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> result(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) {
    const std::int64_t to = perm[i] < 0 ? perm[i] + std::int64_t(perm.size()) : perm[i];
    result[std::size_t(to)] = std::int64_t(i);
  }
  return result;
}

}  // namespace weir::ops::array
