#include <weir/gradient_tape.h>

#include <optional>

#include "autodiff/pass.h"

namespace weir::inline v0 {
namespace {

[[noreturn]] void fail(Code code,
                       std::string what,
                       std::string got = {},
                       std::string expected = {},
                       std::string fix = {}) {
  throw Error({code,
               "GradientTape: " + std::move(what),
               {},
               std::move(got),
               std::move(expected),
               std::move(fix)});
}

Tensor zeros_like_source(const GradientSource& source) {
  if (source.variable().defined())
    return Tensor::zeros(source.variable().shape(), source.variable().dtype());
  const TensorImpl& p = *source.tensor().impl();
  return autodiff::zeros_of(p.dtype(), p.shape(), source.tensor());
}

Tensor finished(Gradient g, const GradientSource& source, UnconnectedGradients unconnected) {
  if (g.defined()) return g.to_tensor();
  return unconnected == UnconnectedGradients::zero ? zeros_like_source(source) : Tensor();
}

}  // namespace

Tensor Gradient::to_tensor() const {
  return slices.values.defined() ? autodiff::to_dense(slices) : dense;
}

GradientTape::GradientTape(TapeOptions options) : tape_(autodiff::Tape::start(options)) {}
GradientTape::~GradientTape() {
  autodiff::Tape::finish(tape_);
}

void GradientTape::watch(const Tensor& t) {
  tape_->watch(t);
}
void GradientTape::watch(const Variable& v) {
  tape_->watch(v);
}
void GradientTape::pause() {
  tape_->pause();
}
void GradientTape::resume() {
  tape_->resume();
}
void GradientTape::reset() {
  tape_->reset();
}
std::vector<Variable> GradientTape::watched_variables() const {
  return tape_->watched_variables();
}
std::string GradientTape::explain(const Tensor& target, const GradientSource& source) const {
  return tape_->explain(target, source);
}

Tensor GradientTape::gradient(const Tensor& target,
                              const GradientSource& source,
                              UnconnectedGradients unconnected) {
  const Tensor* targets[] = {&target};
  const GradientSource* sources[] = {&source};
  Gradient result;
  tape_->gradients({targets, sources, {}}, {&result, 1});
  return finished(std::move(result), source, unconnected);
}

std::vector<Tensor> GradientTape::gradient(const std::vector<Tensor>& targets,
                                           const std::vector<GradientSource>& sources,
                                           const std::vector<Tensor>& output_gradients,
                                           UnconnectedGradients unconnected) {
  std::vector<Gradient> found = gradients(targets, sources, output_gradients);
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < found.size(); ++i)
    result.push_back(finished(std::move(found[i]), sources[i], unconnected));
  return result;
}

std::vector<Tensor> GradientTape::gradient(const Tensor& target,
                                           const std::vector<Variable>& sources,
                                           UnconnectedGradients unconnected) {
  return gradient({target}, {sources.begin(), sources.end()}, {}, unconnected);
}

std::vector<Gradient> GradientTape::gradients(const std::vector<Tensor>& targets,
                                              const std::vector<GradientSource>& sources,
                                              const std::vector<Tensor>& output_gradients) {
  if (!output_gradients.empty() && output_gradients.size() != targets.size())
    fail(Code::invalid_argument,
         "wrong number of output gradients",
         std::to_string(output_gradients.size()),
         std::to_string(targets.size()) + ", one for each target");
  std::vector<const Tensor*> t;
  std::vector<const GradientSource*> s;
  for (const Tensor& target : targets)
    t.push_back(&target);
  for (const GradientSource& source : sources)
    s.push_back(&source);
  std::vector<Gradient> result(sources.size());
  tape_->gradients({t, s, output_gradients}, result);
  return result;
}

}  // namespace weir::inline v0

namespace weir::autodiff {

/// Checks a request; a tape that is not persistent has then been used.
void Tape::begin_use(const Request& request) {
  check_thread("gradient");
  if (used_ && !options_.persistent)
    fail(Code::failed_precondition,
         "the tape was used",
         "a second gradient() on a tape that is not persistent",
         {},
         "make it GradientTape tape({.persistent = true}), or ask for all gradients in one call");
  for (const Tensor* t : request.targets) {
    if (!t->defined())
      fail(Code::invalid_argument,
           "undefined target",
           "an undefined tensor",
           "a tensor with a value");
  }
  for (const GradientSource* s : request.sources) {
    if (!s->tensor().defined() && !s->variable().defined())
      fail(Code::invalid_argument,
           "undefined source",
           "an undefined tensor or variable",
           "one with a value");
  }
  used_ = true;
  if (!options_.persistent) stop();
}

void Tape::gradients(const Request& request, std::span<Gradient> results) {
  begin_use(request);
  std::optional<dispatch::NameScope> scope;
  if (dispatch::current_handler().is_tracing()) scope.emplace("gradient_tape");
  Pass(*this, options_.persistent).run(request, results);
}

std::vector<Tensor> Tape::gradients_of_each(const Tensor& target,
                                            const GradientSource& source,
                                            std::span<const Tensor> output_gradients) {
  const Tensor* targets[] = {&target};
  const GradientSource* sources[] = {&source};
  begin_use({targets, sources, {}});
  std::vector<Tensor> list;
  for (std::size_t i = 0; i < output_gradients.size(); ++i) {
    Gradient g;
    const bool last = i + 1 == output_gradients.size();
    Pass(*this, options_.persistent || !last)
        .run({targets, sources, output_gradients.subspan(i, 1)}, {&g, 1});
    list.push_back(g.to_tensor());
  }
  return list;
}

}  // namespace weir::autodiff
