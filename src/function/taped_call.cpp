#include "function/taped_call.h"

#include <algorithm>

#include "autodiff/structural.h"
#include "graph/replay.h"
#include "tensor/variable_state.h"

namespace weir::tracing {
namespace {

/// Hands a gradient on.
class PassThrough final : public autodiff::Backward {
 public:
  const char* name() const override { return "identity"; }
  std::vector<Gradient> gradients(std::span<const Tensor> dy,
                                  std::span<const std::uint8_t>) override {
    return {{dy[0], {}}};
  }
};

/// What is kept of a call: the values that its gradient reads.
class FunctionBackward final : public autodiff::Backward {
 public:
  FunctionBackward(std::shared_ptr<Trace> trace,
                   std::shared_ptr<const Differentiated> programs,
                   std::vector<Tensor> inputs,
                   std::vector<Tensor> saved,
                   std::source_location where)
      : trace_(std::move(trace)),
        programs_(std::move(programs)),
        inputs_(std::move(inputs)),
        saved_(std::move(saved)),
        where_(where),
        name_("function '" + trace_->graph()->name() + "'") {}
  const char* name() const override { return name_.c_str(); }

  std::vector<Gradient> gradients(std::span<const Tensor> dy,
                                  std::span<const std::uint8_t> needs) override {
    return must_be_seen(dy) ? replayed(dy, needs) : run(dy, needs);
  }

 private:
  const PureGraph& pure() const { return *trace_->pure(); }
  std::span<const Tensor> arguments() const { return {inputs_.data(), pure().arguments}; }
  std::vector<Variable> variables() const {
    std::vector<Variable> list;
    for (const auto& v : pure().variables)
      list.emplace_back(v);
    return list;
  }

  /// The way back is itself differentiated, or traced.
  bool must_be_seen(std::span<const Tensor> dy) const {
    if (dispatch::current_handler().is_tracing()) return true;
    std::vector<Tensor> seen(arguments().begin(), arguments().end());
    for (const Tensor& t : dy) {
      if (!t.defined()) continue;
      if (t.is_symbolic()) return true;
      seen.push_back(t);
    }
    return !autodiff::only_tapes() || autodiff::follows(seen, variables());
  }

  std::vector<Gradient> run(std::span<const Tensor> dy, std::span<const std::uint8_t> needs) const {
    std::vector<Tensor> inputs = inputs_;
    inputs.insert(inputs.end(), saved_.begin(), saved_.end());
    std::vector<std::uint8_t> given;
    for (const Tensor& t : dy) {
      given.push_back(t.defined());
      if (t.defined()) inputs.push_back(t);
    }
    dispatch::PauseRecording pause;
    const auto program = programs_->backward(given, needs);
    const BackwardProgram& b = *program;
    std::vector<Tensor> values;
    if (b.program) values = b.program->run(inputs);
    std::vector<Gradient> result(needs.size());
    for (std::size_t i = 0; i < result.size(); ++i)
      fill(result[i], b.places[i], values);
    return result;
  }
  static void fill(Gradient& g, const GradientPlace& place, std::span<const Tensor> values) {
    if (place.dense >= 0) g.dense = values[std::size_t(place.dense)];
    if (place.values >= 0)
      g.slices = {
          values[std::size_t(place.values)], values[std::size_t(place.indices)], place.shape};
  }

  /// The inputs, each with an identity of its own, which the tapes of the enclosing code can follow
  /// to what it is.
  std::vector<Tensor> distinct_inputs() const {
    std::vector<Tensor> list;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Tensor t = autodiff::fresh_identity(inputs_[i]);
      if (i < pure().arguments) {
        autodiff::record({&inputs_[i], 1}, {}, {&t, 1}, std::make_shared<PassThrough>(), where_);
      } else {
        for (dispatch::Recorder* r : dispatch::active_recorders())
          r->record_read(pure().variables[i - pure().arguments], t);
      }
      list.push_back(std::move(t));
    }
    return list;
  }
  std::vector<Gradient> replayed(std::span<const Tensor> dy,
                                 std::span<const std::uint8_t> needs) const {
    const std::vector<Tensor> inputs = distinct_inputs();
    GradientTape tape({.watch_accessed_variables = false});
    std::vector<GradientSource> sources;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!needs[i]) continue;
      tape.watch(inputs[i]);
      sources.emplace_back(inputs[i]);
    }
    const std::vector<Tensor> results = graph::replay(*pure().graph, inputs);
    std::vector<Tensor> targets, weights;
    for (std::size_t i = 0; i < dy.size(); ++i) {
      if (!dy[i].defined()) continue;
      targets.push_back(results[i]);
      weights.push_back(dy[i]);
    }
    std::vector<Gradient> found = tape.gradients(targets, sources, weights);
    std::vector<Gradient> result(needs.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (needs[i]) result[i] = std::move(found[next++]);
    }
    return result;
  }

  std::shared_ptr<Trace> trace_;
  std::shared_ptr<const Differentiated> programs_;
  std::vector<Tensor> inputs_;  // arguments, then values of the variables
  std::vector<Tensor> saved_;
  std::source_location where_;
  std::string name_;
};

/// Which arguments and variables the tapes follow.
std::vector<std::uint8_t> followed(std::span<const Tensor> arguments, const PureGraph& pure) {
  std::vector<std::uint8_t> list;
  for (const Tensor& t : arguments)
    list.push_back(is_differentiable(t.dtype()) && autodiff::follows({&t, 1}));
  for (const auto& v : pure.variables) {
    const Variable variable(v);
    list.push_back(is_differentiable(v->dtype()) && autodiff::follows({}, {&variable, 1}));
  }
  return list;
}

std::vector<Tensor> take(std::vector<Tensor>& values, std::size_t from, std::size_t count) {
  const auto first = values.begin() + std::ptrdiff_t(from);
  return {std::make_move_iterator(first), std::make_move_iterator(first + std::ptrdiff_t(count))};
}

}  // namespace

std::vector<Tensor> call_recorded(const std::shared_ptr<Trace>& trace,
                                  std::span<const Tensor> arguments,
                                  std::source_location where) {
  const PureGraph* pure = autodiff::only_tapes() ? trace->pure() : nullptr;
  if (!pure) return graph::replay(*trace->graph(), arguments);
  const std::vector<std::uint8_t> sources = followed(arguments, *pure);
  if (std::find(sources.begin(), sources.end(), 1) == sources.end()) {
    dispatch::PauseRecording pause;
    return trace->plan(arguments)->run(arguments);
  }
  const std::shared_ptr<const Differentiated> programs = trace->differentiated(arguments, sources);
  if (!programs) return graph::replay(*trace->graph(), arguments);
  std::vector<Tensor> values;
  {
    dispatch::PauseRecording pause;
    values = programs->forward().run(arguments);
  }
  std::vector<Tensor> results = take(values, 0, pure->results);
  std::vector<Tensor> inputs(arguments.begin(), arguments.end());
  for (Tensor& t : take(values, pure->results, pure->variables.size()))
    inputs.push_back(std::move(t));
  const std::size_t done = pure->results + pure->variables.size();
  std::vector<Tensor> saved = take(values, done, values.size() - done);
  for (Tensor& t : results) {
    if (t.impl()->refs.load(std::memory_order_relaxed) > 1) t = autodiff::fresh_identity(t);
  }
  std::vector<Variable> variables;
  for (const auto& v : pure->variables)
    variables.emplace_back(v);
  autodiff::record(arguments,
                   variables,
                   results,
                   std::make_shared<FunctionBackward>(
                       trace, programs, std::move(inputs), std::move(saved), where),
                   where);
  return results;
}

}  // namespace weir::tracing
