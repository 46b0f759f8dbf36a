#include "autodiff/pass.h"

#include <weir/ops/math.h>

#include <algorithm>

#include "autodiff/rule_context.h"
#include "tensor/specs.h"

namespace weir::autodiff {
namespace {

std::string describe(DType dtype, ShapeView shape) {
  return name(dtype) + shape.to_string();
}

std::string input_name(const Record& r, std::size_t i) {
  const bool named = r.op && i < r.op->input_defs().size();
  return "input " + std::to_string(i) + (named ? " (" + r.op->input_defs()[i].name + ")" : "");
}

void check_output_gradient(const Tensor& target, const Tensor& gradient) {
  if (target.dtype() == gradient.dtype() &&
      tensor::may_be_equal(target.impl()->shape(), gradient.impl()->shape()))
    return;
  ErrorInfo e;
  e.what = "GradientTape: an output gradient does not fit its target";
  e.got = gradient.describe() + " for a target " + target.describe();
  e.expected = "the dtype and shape of the target";
  throw Error(e);
}

/// A rule that returns a gradient of another dtype or shape is wrong; say which, before the error
/// travels on.
void check_gradient(const Record& r, std::size_t input, DType dtype, ShapeView shape) {
  const Value& v = r.inputs[input];
  const bool described = v.dims != nullptr || v.rank > 0;
  if (v.dtype == dtype && (!described || tensor::may_be_equal(v.shape(), shape))) return;
  ErrorInfo e;
  e.code = r.op ? Code::internal : Code::invalid_argument;
  e.what = std::string(r.name()) + ": the gradient of " + input_name(r, input) + " does not fit it";
  e.where = to_string(r.where);
  e.got = describe(dtype, shape);
  e.expected = described ? describe(v.dtype, v.shape()) : name(v.dtype);
  throw Error(e);
}

[[noreturn]] void throw_in_gradient(const Error& error, const Record& r) {
  ErrorInfo e = error.info();
  e.where += std::string(e.where.empty() ? "" : ", ") + "in the gradient of " + r.name() + " at " +
             to_string(r.where);
  throw Error(e);
}

/// A decomposition is written for ranks and static operands that are known.
void check_decomposable(const Record& r) {
  const bool ranked = std::all_of(
      r.inputs.begin(), r.inputs.end(), [](const Value& v) { return v.shape().has_rank(); });
  const bool known = std::none_of(r.attrs.begin(), r.attrs.end(), [](const rt::Attr& a) {
    return a.kind == rt::Attr::Kind::operand;
  });
  if (ranked && known) return;
  ErrorInfo e;
  e.code = Code::unimplemented;
  e.what = r.op->name() + ": the gradient needs " +
           (ranked ? "static operands that are known when it is traced" : "operands of known rank");
  e.where = to_string(r.where);
  throw Error(e);
}

}  // namespace

Pass::Pass(Tape& tape, bool keep_values)
    : tape_(tape),
      log_(tape.log_),
      keep_values_(keep_values),
      marks_(log_.slots().size()),
      arrived_(log_.slots().size()) {}

void Pass::run(const Request& request, std::span<Gradient> results) {
  const std::int32_t last = seed(request);
  mark_sources(request);
  mark_paths(last);
  for (std::int32_t i = last; i >= 0; --i) {
    Record& r = *log_.records()[std::size_t(i)];
    visit(r);
    if (!keep_values_) r.release_values();
  }
  for (std::size_t s = 0; s < results.size(); ++s)
    collect(*request.sources[s], results[s]);
}

/// Gradients of the targets arrive at their slots. Returns the last record that matters.
std::int32_t Pass::seed(const Request& request) {
  std::int32_t last = -1;
  for (std::size_t t = 0; t < request.targets.size(); ++t) {
    const Tensor& target = *request.targets[t];
    const bool given = !request.output_gradients.empty() && request.output_gradients[t].defined();
    if (given) check_output_gradient(target, request.output_gradients[t]);
    const std::int32_t slot = log_.find(target);
    if (slot < 0 || !log_.slots()[std::size_t(slot)].live) continue;
    last = std::max(last, log_.slots()[std::size_t(slot)].record);
    Tensor dy = given ? request.output_gradients[t]
                      : ones_of(target.dtype(), target.impl()->shape(), target);
    Tensor& sum = at(slot).dense;
    sum = sum.defined() ? add(std::move(sum), std::move(dy)) : std::move(dy);
  }
  return last;
}

void Pass::mark_sources(const Request& request) {
  for (const GradientSource* source : request.sources) {
    tape_.each_slot(*source, [&](std::int32_t slot) { marks_[std::size_t(slot)] = kSource; });
  }
}

/// Everything computed from a source, as far as gradients pass.
void Pass::mark_paths(std::int32_t last) {
  for (std::int32_t i = 0; i <= last; ++i) {
    const Record& r = *log_.records()[std::size_t(i)];
    if (!r.live) continue;
    const bool reached = std::any_of(
        r.inputs.begin(), r.inputs.end(), [&](const Value& v) { return wanted(v.slot); });
    if (!reached) continue;
    for (const Value& v : r.outputs) {
      auto& mark = marks_[std::size_t(v.slot)];
      if (log_.slots()[std::size_t(v.slot)].live && mark == kUnreached) mark = kOnPath;
    }
  }
}

void Pass::visit(Record& r) {
  const bool has_dy = std::any_of(
      r.outputs.begin(), r.outputs.end(), [&](const Value& v) { return at(v.slot).any(); });
  if (!has_dy) return;
  const bool needed =
      std::any_of(r.inputs.begin(), r.inputs.end(), [&](const Value& v) { return wanted(v.slot); });
  if (r.live && needed) {
    try {
      run_rule(r);
    } catch (const Error& e) {
      throw_in_gradient(e, r);
    }
  }
  release_outputs(r);
}

void Pass::run_rule(Record& r) {
  for (Value& v : r.inputs)
    v.gave_none = wanted(v.slot);
  if (!r.op) return run_structural(r);
  const dispatch::CalledFrom line(r.where);
  if (GradientFn rule = r.op->gradient_fn()) {
    RuleContext context(*this, r);
    return rule(context);
  }
  if (r.op->decompose_fn()) return run_decomposition(r);
  ErrorInfo e;
  e.code = Code::unimplemented;
  e.what = r.op->name() + ": no gradient is registered";
  e.where = to_string(r.where);
  e.fix = "give the op a gradient (OpDef::gradient), or cut the path with weir::stop_gradient";
  throw Error(e);
}

void Pass::run_structural(Record& r) {
  if (!r.backward) {
    throw Error({Code::internal,
                 std::string(r.name()) + ": its values were released",
                 to_string(r.where),
                 {},
                 {},
                 {}});
  }
  std::vector<Tensor> dy;
  std::vector<std::uint8_t> needs;
  for (const Value& v : r.outputs)
    dy.push_back(dense(v));
  for (const Value& v : r.inputs)
    needs.push_back(wanted(v.slot));
  std::vector<Gradient> result = r.backward->gradients(dy, needs);
  if (result.size() != r.inputs.size()) {
    throw Error({Code::invalid_argument,
                 std::string(r.name()) + ": wrong number of gradients",
                 to_string(r.where),
                 std::to_string(result.size()),
                 std::to_string(r.inputs.size()) + ", one for each input",
                 {}});
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i].dense.defined()) arrive(r, i, std::move(result[i].dense));
    if (result[i].slices.values.defined()) arrive(r, i, std::move(result[i].slices));
  }
}

namespace {

struct PassThrough final : Backward {
  const char* name() const override { return "identity"; }
  std::vector<Gradient> gradients(std::span<const Tensor> dy,
                                  std::span<const std::uint8_t>) override {
    return {{dy[0], {}}};
  }
};

/// The inputs as tensors that are told apart even where one was passed twice; outer tapes see where
/// they come from.
std::vector<Tensor> distinct(std::span<const Value> values, std::source_location where) {
  std::vector<Tensor> inputs;
  for (const Value& v : values) {
    Tensor t = v.tensor;
    const bool seen = std::any_of(
        inputs.begin(), inputs.end(), [&](const Tensor& o) { return o.impl() == t.impl(); });
    if (seen) {
      Tensor other = TensorImpl::again(t);
      record({&t, 1}, {}, {&other, 1}, std::make_shared<PassThrough>(), where);
      t = std::move(other);
    }
    inputs.push_back(std::move(t));
  }
  return inputs;
}

}  // namespace

/// An op without a rule: its decomposition is run again, recorded, and differentiated.
void Pass::run_decomposition(Record& r) {
  check_decomposable(r);
  const std::vector<Tensor> inputs = distinct(r.inputs, r.where);
  GradientTape inner({.watch_accessed_variables = false});
  std::vector<GradientSource> sources;
  for (const Tensor& t : inputs) {
    inner.watch(t);
    sources.emplace_back(t);
  }
  std::vector<Tensor> targets, dys;
  std::vector<Tensor> outputs = r.op->decompose_fn()(inputs, r.attrs);
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    Tensor dy = dense(r.outputs[o]);
    if (!dy.defined()) continue;
    targets.push_back(outputs[o]);
    dys.push_back(std::move(dy));
  }
  std::vector<Gradient> result = inner.gradients(targets, sources, dys);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i].dense.defined()) arrive(r, i, std::move(result[i].dense));
    if (result[i].slices.values.defined()) arrive(r, i, std::move(result[i].slices));
  }
}

/// Nobody asks again for a gradient that has been passed on.
void Pass::release_outputs(const Record& r) {
  for (const Value& v : r.outputs) {
    if (marks_[std::size_t(v.slot)] != kSource) at(v.slot) = Arrived{};
  }
}

void Pass::arrive(const Record& r, std::size_t input, Tensor gradient) {
  Value& v = const_cast<Record&>(r).inputs[input];
  v.gave_none = v.gave_none && !gradient.defined();
  if (!gradient.defined() || !wanted(v.slot)) return;
  check_gradient(r, input, gradient.dtype(), gradient.impl()->shape());
  Tensor& sum = at(v.slot).dense;
  sum = sum.defined() ? add(std::move(sum), std::move(gradient)) : std::move(gradient);
}

void Pass::arrive(const Record& r, std::size_t input, Slices gradient) {
  Value& v = const_cast<Record&>(r).inputs[input];
  v.gave_none = v.gave_none && !gradient.values.defined();
  if (!gradient.values.defined() || !wanted(v.slot)) return;
  check_gradient(r, input, gradient.values.dtype(), gradient.shape);
  at(v.slot).rows.push_back(std::move(gradient));
}

Tensor Pass::dense(const Value& result) {
  Arrived& a = at(result.slot);
  if (a.rows.empty()) return a.dense;
  Tensor sum = to_dense(join(std::move(a.rows)));
  a.rows.clear();
  a.dense = a.dense.defined() ? add(std::move(a.dense), std::move(sum)) : std::move(sum);
  return a.dense;
}

/// All that arrived at the slots of a source: one tensor, or its reads if it is a variable.
void Pass::collect(const GradientSource& source, Gradient& result) {
  std::vector<Slices> rows;
  tape_.each_slot(source, [&](std::int32_t slot) {
    if (std::size_t(slot) >= arrived_.size()) return;  // read while the pass ran
    const Arrived& a = at(slot);
    rows.insert(rows.end(), a.rows.begin(), a.rows.end());
    if (!a.dense.defined()) return;
    result.dense = result.dense.defined() ? add(std::move(result.dense), a.dense) : a.dense;
  });
  if (rows.empty()) return;
  result.slices = join(std::move(rows));
  if (!result.dense.defined()) return;
  result.dense = add(std::move(result.dense), to_dense(result.slices));
  result.slices = {};
}

}  // namespace weir::autodiff
