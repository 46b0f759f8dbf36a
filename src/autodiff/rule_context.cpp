#include "autodiff/rule_context.h"

#include <weir/ops/array.h>

#include <algorithm>

namespace weir::autodiff {

void RuleContext::fail_unsaved(const char* which, int i) const {
  ErrorInfo e;
  e.code = Code::internal;
  e.what = std::string(record_.name()) + ": its gradient reads " + which + " " + std::to_string(i) +
           ", which is not saved";
  e.where = to_string(record_.where);
  e.fix = std::string("list it in the op's definition: .saves_") + which + "({" +
          std::to_string(i) + "})";
  throw Error(e);
}

bool RuleContext::carries_static_operand(int i) const {
  return std::any_of(record_.attrs.begin(), record_.attrs.end(), [&](const rt::Attr& a) {
    return a.kind == rt::Attr::Kind::operand && a.i == i;
  });
}

Tensor RuleContext::input(int i) const {
  // A trace keeps all tensors; what the eager tape would have dropped is refused there too.
  const bool saved = record_.op->saves_input(i) || carries_static_operand(i);
  if (!saved || !in(i).tensor.defined()) fail_unsaved("input", i);
  return in(i).tensor;
}

Tensor RuleContext::output(int i) const {
  if (!record_.op->saves_output(i) || !out(i).tensor.defined()) fail_unsaved("output", i);
  return out(i).tensor;
}

Ints RuleContext::input_dims(int i) const {
  return dims_of(in(i).shape(), in(i).tensor, shapes_.emplace_back());
}

Tensor RuleContext::dy(int i) const {
  const Value& v = out(i);
  if (Tensor sum = pass_.dense(v); sum.defined()) return sum;
  return zeros_of(v.dtype, v.shape(), v.tensor);
}

void RuleContext::set(int i, Tensor gradient) {
  pass_.arrive(record_, std::size_t(i), std::move(gradient));
}

void RuleContext::set(int i, Slices gradient) {
  if (!gradient.shape.is_static() && !gradient.dims.defined()) gradient.dims = shape(in(i).tensor);
  pass_.arrive(record_, std::size_t(i), std::move(gradient));
}

}  // namespace weir::autodiff
