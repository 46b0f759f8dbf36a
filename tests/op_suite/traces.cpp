#include "op_suite/traces.h"

#include <weir/gradient_tape.h>

#include <algorithm>

namespace weir::op_suite {

std::vector<Tensor> all_gradients(const Case& c, const std::vector<Tensor>& inputs) {
  GradientTape tape;
  std::vector<GradientSource> sources;
  for (const Tensor& t : inputs) {
    tape.watch(t);
    sources.emplace_back(t);
  }
  std::vector<Tensor> targets, found;
  for (Tensor& t : c.call(inputs)) {
    if (is_differentiable(t.dtype())) targets.push_back(std::move(t));
  }
  for (Tensor& t : tape.gradient(targets, sources)) {
    if (t.defined()) found.push_back(std::move(t));
  }
  return found;
}

bool any_differentiable(std::span<const Tensor> tensors) {
  return std::any_of(
      tensors.begin(), tensors.end(), [](const Tensor& t) { return is_differentiable(t.dtype()); });
}

}  // namespace weir::op_suite
