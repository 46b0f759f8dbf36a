#include <weir/gradient_tape.h>

#include <algorithm>

#include "autodiff/fill.h"
#include "autodiff/structural.h"
#include "dispatch/handler.h"
#include "tensor/tensor_impl.h"
#include "tensor/variable_state.h"

namespace weir::inline v0 {
namespace {

using Rule = Callable<std::vector<Tensor>(const std::vector<Tensor>&)>;

[[noreturn]] void fail(std::string what,
                       std::string got,
                       std::string expected,
                       std::string fix = {}) {
  throw Error({Code::invalid_argument,
               "custom_gradient: " + std::move(what),
               {},
               std::move(got),
               std::move(expected),
               std::move(fix)});
}

/// Notes the trainable variables that are read.
class Reads final : public dispatch::Recorder {
 public:
  Reads() { dispatch::push_recorder(*this); }
  ~Reads() override { dispatch::remove_recorder(*this); }
  void record(const dispatch::Invocation&, std::span<const Tensor>) override {}
  void record_read(const std::shared_ptr<VariableState>& v, const Tensor&) override {
    if (v->trainable && std::find(variables.begin(), variables.end(), v) == variables.end())
      variables.push_back(v);
  }
  std::vector<std::shared_ptr<VariableState>> variables;
};

class CustomBackward final : public autodiff::Backward {
 public:
  CustomBackward(Rule rule, std::span<const Tensor> results) : rule_(std::move(rule)) {
    for (const Tensor& t : results)
      results_.push_back({{t.dtype(), t.shape()}, t.shape().is_static() ? Tensor() : t});
  }
  const char* name() const override { return "custom_gradient"; }

  std::vector<Gradient> gradients(std::span<const Tensor> dy,
                                  std::span<const std::uint8_t>) override {
    std::vector<Tensor> given(dy.begin(), dy.end());
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (given[i].defined()) continue;
      const auto& [spec, like] = results_[i];
      given[i] = autodiff::zeros_of(spec.dtype, spec.shape, like);
    }
    std::vector<Gradient> result;
    for (Tensor& t : rule_(given))
      result.push_back({std::move(t), {}});
    return result;
  }

 private:
  Rule rule_;
  struct Result {
    Spec spec;
    Tensor like;  // the result, if its shape is not static
  };
  std::vector<Result> results_;
};

void check_variables(const Reads& reads, const std::vector<Variable>& declared) {
  for (const auto& read : reads.variables) {
    const bool known = std::any_of(
        declared.begin(), declared.end(), [&](const Variable& v) { return v.state() == read; });
    if (!known)
      fail("the function reads a trainable variable that it does not list",
           "variable '" + read->name + "'",
           "CustomGradient::variables with every trainable variable that is read",
           "list it and return its gradient after those of the inputs, or read it before "
           "custom_gradient");
  }
}

}  // namespace

std::vector<Tensor> custom_gradient(
    const std::vector<Tensor>& inputs,
    const Callable<CustomGradient(const std::vector<Tensor>&)>& forward,
    std::source_location where) {
  for (const Tensor& t : inputs) {
    if (!t.defined()) fail("an undefined input", "an undefined tensor", "tensors");
  }
  Reads reads;
  CustomGradient made = forward(inputs);
  if (!made.gradient)
    fail("no gradient function", "an empty CustomGradient::gradient", "a function");
  check_variables(reads, made.variables);
  for (Tensor& t : made.results) {
    if (!t.defined()) fail("an undefined result", "an undefined tensor", "tensors");
    t = TensorImpl::again(t);
  }
  autodiff::record(inputs,
                   made.variables,
                   made.results,
                   std::make_shared<CustomBackward>(std::move(made.gradient), made.results),
                   where);
  return std::move(made.results);
}

}  // namespace weir::inline v0
