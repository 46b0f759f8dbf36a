#include "dispatch/call.h"
#include "tensor/specs.h"

namespace weir::inline v0 {

std::optional<std::span<const std::int64_t>> InferContext::ints(int index) {
  const rt::Attr& a = attrs_[std::size_t(index)];
  if (a.kind == rt::Attr::Kind::ints) return std::span<const std::int64_t>(a.ints, a.count);
  if (a.kind != rt::Attr::Kind::operand) return std::nullopt;
  const Tensor* value = values_.empty() ? nullptr : values_[std::size_t(a.i)];
  if (!value) return std::nullopt;
  if (!scratch_) scratch_ = std::make_unique<std::vector<std::int64_t>[]>(4);
  std::vector<std::int64_t>& scratch = scratch_[std::size_t(used_++ & 3)];
  scratch = tensor::integers(*value);
  return std::span<const std::int64_t>(scratch);
}

std::int64_t InferContext::ints_count(int index) const {
  const rt::Attr& a = attrs_[std::size_t(index)];
  if (a.kind == rt::Attr::Kind::ints) return a.count;
  if (a.kind != rt::Attr::Kind::operand) return -1;
  return inputs_[std::size_t(a.i)].shape.size();
}

int InferContext::axis(std::int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank)
    fail("axis out of range",
         "axis " + std::to_string(axis) + " with " + describe_inputs(),
         rank == 0 ? "an input of rank 1 or more"
                   : "an axis in [" + std::to_string(-rank) + ", " + std::to_string(rank) + ")");
  return int(axis < 0 ? axis + rank : axis);
}

void InferContext::fail(std::string what,
                        std::string got,
                        std::string expected,
                        std::string fix) const {
  if (got.empty()) got = describe_inputs();
  dispatch::fail(op_, where_, std::move(what), std::move(got), std::move(expected), std::move(fix));
}

std::string InferContext::describe_inputs() const {
  std::string text;
  const auto& defs = op_.input_defs();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::string label = i < defs.size() ? defs[i].name : std::to_string(i);
    text +=
        (i ? ", " : "") + label + " " + weir::name(inputs_[i].dtype) + inputs_[i].shape.to_string();
  }
  return text;
}

}  // namespace weir::inline v0
