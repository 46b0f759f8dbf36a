/// while_loop: building, and the way back.
///
/// The state of a While node has a counter in front, which nobody sees: the gradient needs the
/// number of iterations. The gradient is two loops. The first runs forward again and stacks the
/// state at the start of each iteration; the second goes through the stack from its end and
/// accumulates. Both are ordinary while loops of ordinary ops, so gradients of any order follow.
#include "flow/loop.h"

#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "autodiff/structural.h"
#include "flow/state.h"
#include "graph/replay.h"

namespace weir::inline v0::flow {
namespace {

using graph::Graph;
using graph::Kind;
using Where = std::source_location;

void check_state(std::span<const Tensor> state, Where where) {
  for (const Tensor& t : state) {
    if (!t.defined()) fail(where, "while_loop: the state has an undefined tensor");
  }
}

bool is_true(Body condition, std::span<const Tensor> state, Where where) {
  const Flat f = condition.run(condition.context, state);
  if (f.tensors.size() != 1 || f.tensors[0].dtype() != DType::boolean || f.tensors[0].size() != 1)
    fail(where,
         "while_loop: the condition must be a bool scalar",
         f.tensors.empty() ? "" : f.tensors[0].describe(),
         "bool[]");
  return f.tensors[0].truth();
}

void check_iteration(std::span<const Tensor> before, std::span<const Tensor> after, Where where) {
  check_results(after, "while_loop: the body");
  bool same = before.size() == after.size();
  for (std::size_t i = 0; same && i < after.size(); ++i)
    same = before[i].dtype() == after[i].dtype();
  if (same) return;
  std::vector<Spec> b, a;
  for (const Tensor& t : before)
    b.push_back({t.dtype(), t.shape()});
  for (const Tensor& t : after)
    a.push_back({t.dtype(), t.shape()});
  fail(where,
       "while_loop: the body changes the structure or the dtypes of the state",
       describe(a),
       describe(b));
}

/// Shapes of the state inside the loop: those of the initial values, or the invariants that the
/// caller gave.
std::vector<TensorSpec> state_specs(std::span<const Tensor> state,
                                    const WhileOptions& options,
                                    Where where) {
  if (!options.shape_invariants.empty() && options.shape_invariants.size() != state.size())
    fail(where,
         "while_loop: one shape invariant for each tensor of the state",
         std::to_string(options.shape_invariants.size()),
         std::to_string(state.size()));
  std::vector<TensorSpec> specs;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const Shape shape =
        options.shape_invariants.empty() ? state[i].shape() : options.shape_invariants[i];
    specs.push_back({shape, state[i].dtype(), "state" + std::to_string(i)});
  }
  return specs;
}

/// The body must give back what it takes.
void check_body(const Graph& body, std::span<const TensorSpec> state, Where where) {
  std::vector<Spec> expected;
  for (const TensorSpec& s : state)
    expected.push_back({s.dtype, s.shape});
  const std::vector<Spec> got = output_specs(body);
  bool ok = got.size() == expected.size();
  for (std::size_t i = 0; ok && i < got.size(); ++i) {
    const Shape &a = got[i].shape, &b = expected[i].shape;
    ok = got[i].dtype == expected[i].dtype &&
         (!b.has_rank() || (a.has_rank() && a.rank() == b.rank()));
    for (int d = 0; ok && b.has_rank() && d < b.rank(); ++d)
      ok = !b[d].known() || a[d] == b[d];
  }
  if (!ok)
    fail(where,
         "while_loop: the body changes the structure, a dtype or a shape of the state",
         describe(got),
         describe(expected),
         "to let a shape vary, give WhileOptions::shape_invariants with -1 there");
}

void check_condition(const Graph& condition, Where where) {
  const std::vector<Spec> got = output_specs(condition);
  if (got.size() == 1 && got[0].dtype == DType::boolean &&
      (!got[0].shape.has_rank() || got[0].shape.rank() == 0))
    return;
  fail(where, "while_loop: the condition must be a bool scalar", describe(got), "(bool[])");
}

/// What the gradient of a loop needs to know of it.
struct LoopRecord {
  std::shared_ptr<Graph> body;
  std::vector<Tensor> state;  // the initial one
  std::vector<Tensor> captures;
  Variables variables;            // that the body reads and writes
  std::vector<Tensor> values;     // of them before the loop
  Tensor counter;                 // the number of iterations that it made
  std::string varying;            // a tensor of the state whose shape changes
  bool condition_writes = false;  // what the body reads

  std::vector<Tensor> inputs() const {
    std::vector<Tensor> list = state;
    list.insert(list.end(), captures.begin(), captures.end());
    list.insert(list.end(), values.begin(), values.end());
    return list;
  }
};

/// The values of the variables are state too, but no gradient flows through them: it flows to each
/// iteration's read, as in the unrolled program.
class WhileBackward final : public autodiff::Backward {
 public:
  WhileBackward(LoopRecord loop, Where where)
      : body_(std::move(loop.body)),
        state_(std::move(loop.state)),
        captures_(std::move(loop.captures)),
        variables_(std::move(loop.variables)),
        values_(std::move(loop.values)),
        counter_(std::move(loop.counter)),
        varying_(std::move(loop.varying)),
        condition_writes_(loop.condition_writes),
        where_(where) {}
  const char* name() const override { return "While"; }

  std::vector<Gradient> gradients(std::span<const Tensor> dy,
                                  std::span<const std::uint8_t>) override {
    check();
    if (!pure_) pure_ = body_->has_effects() ? with_state(*body_, variables_) : body_;
    const std::vector<Tensor> stacks = stack_states();
    std::vector<Tensor> accumulated;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      if (is_differentiable(state_[i].dtype()))
        accumulated.push_back(dy[i].defined() ? dy[i] : zeros_like(state_[i]));
    }
    for (const Tensor& c : captures_) {
      if (is_differentiable(c.dtype())) accumulated.push_back(zeros_like(c));
    }
    for (const Tensor& v : values_) {
      if (is_differentiable(v.dtype())) accumulated.push_back(zeros_like(v));
    }
    return distribute(run_backwards(stacks, std::move(accumulated)));
  }

 private:
  /// State, then values of the variables.
  const Tensor& carried(std::size_t i) const {
    return i < state_.size() ? state_[i] : values_[i - state_.size()];
  }

  void check() const {
    const auto refuse = [&](const char* what, std::string got, const char* fix) {
      throw Error({Code::unimplemented,
                   std::string("gradient of while_loop: ") + what,
                   to_string(where_),
                   std::move(got),
                   {},
                   fix});
    };
    if (!varying_.empty())
      refuse("the shape of the state changes from one iteration to the next",
             varying_,
             "write into a tensor of the final size, with tensor_scatter_update");
    if (condition_writes_)
      refuse("its condition writes a variable that the body reads",
             "an effect in the condition, such as a random draw",
             "move the effect into the body, and its value into the state");
  }

  /// State and values of the variables after an iteration from those before.
  std::vector<Tensor> iterate(std::span<const Tensor> carried) const {
    const auto own = std::ptrdiff_t(state_.size());
    std::vector<Tensor> arguments(carried.begin(), carried.begin() + own);
    arguments.insert(arguments.end(), captures_.begin(), captures_.end());
    arguments.insert(arguments.end(), carried.begin() + own, carried.end());
    std::vector<Tensor> results = graph::replay(*pure_, arguments);
    results.erase(results.begin() + own, results.end() - std::ptrdiff_t(values_.size()));
    return results;
  }

  Tensor empty_stack(const Tensor& t) const {
    return fill(concat({expand_dims(counter_, 0), cast(shape(t), DType::int64)}, 0),
                cast(Tensor(0), t.dtype()));
  }

  static Tensor put_row(const Tensor& stack, const Tensor& k, const Tensor& row) {
    return tensor_scatter_update(stack, reshape(k, {1, 1}), expand_dims(row, 0));
  }

  /// Of the shape that every row has: the stack's is known no sooner than the number of iterations.
  static Tensor row(const Tensor& stack, const Tensor& k, const Shape& shape) {
    const Tensor t = gather_nd(stack, reshape(k, {1}));
    return shape.is_static() ? ensure_shape(t, shape.to_vector()) : t;
  }

  /// stacks[i][k]: state i, or a variable's value, at the start of iteration k.
  std::vector<Tensor> stack_states() const {
    std::vector<Tensor> carried = state_;
    carried.insert(carried.end(), values_.begin(), values_.end());
    const std::size_t n = carried.size();
    std::vector<Tensor> start{to_index(0)};
    start.insert(start.end(), carried.begin(), carried.end());
    for (const Tensor& t : carried)
      start.push_back(empty_stack(t));
    const auto more = [&](std::span<const Tensor> s) { return Flat{{less(s[0], counter_)}, {}}; };
    const auto step = [&](std::span<const Tensor> s) {
      std::vector<Tensor> next{plus(s[0], to_index(1))};
      const std::vector<Tensor> state = iterate(s.subspan(1, n));
      next.insert(next.end(), state.begin(), state.end());
      for (std::size_t i = 0; i < n; ++i)
        next.push_back(put_row(s[1 + n + i], s[0], s[1 + i]));
      return Flat{std::move(next), {}};
    };
    std::vector<Tensor> end = loop(more, step, std::move(start));
    return {end.begin() + std::ptrdiff_t(1 + n), end.end()};
  }

  std::vector<Tensor> run_backwards(std::span<const Tensor> stacks,
                                    std::vector<Tensor> accumulated) const {
    std::vector<Tensor> start{counter_};
    start.insert(start.end(), accumulated.begin(), accumulated.end());
    const auto more = [&](std::span<const Tensor> s) {
      return Flat{{less(to_index(0), s[0])}, {}};
    };
    const auto step = [&](std::span<const Tensor> s) {
      const Tensor k = plus(s[0], to_index(-1));
      std::vector<Tensor> state;
      for (std::size_t i = 0; i < stacks.size(); ++i)
        state.push_back(row(stacks[i], k, carried(i).shape()));
      std::vector<Tensor> next{k};
      for (Tensor& t : step_gradients(state, s.subspan(1)))
        next.push_back(std::move(t));
      return Flat{std::move(next), {}};
    };
    std::vector<Tensor> end = loop(more, step, std::move(start));
    end.erase(end.begin());
    return end;
  }

  /// From the gradients of the state after an iteration, and those of the captures and variables so
  /// far, to the ones before it.
  std::vector<Tensor> step_gradients(std::span<const Tensor> carried,
                                     std::span<const Tensor> accumulated) const {
    GradientTape tape;
    std::vector<Tensor> at;
    std::vector<GradientSource> sources;
    const auto add = [&](const Tensor& t) {
      at.push_back(enter(t));
      if (!is_differentiable(t.dtype())) return;
      tape.watch(at.back());
      sources.emplace_back(at.back());
    };
    const std::span<const Tensor> state = carried.first(state_.size());
    for (const Tensor& t : state)
      add(t);
    for (const Tensor& t : captures_)
      add(t);
    for (const Tensor& t : carried.subspan(state.size()))
      add(t);
    const std::vector<Tensor> results = graph::replay(*pure_, at);
    std::vector<Tensor> targets, weights;
    std::size_t floats = 0;
    for (std::size_t i = 0; i < state.size(); ++i) {
      if (!is_differentiable(state[i].dtype())) continue;
      targets.push_back(results[i]);
      weights.push_back(accumulated[floats++]);
    }
    std::vector<Tensor> g = tape.gradient(targets, sources, weights, UnconnectedGradients::zero);
    for (std::size_t i = floats; i < g.size(); ++i)
      g[i] = g[i] + accumulated[i];
    return g;
  }

  template <class More, class Step>
  std::vector<Tensor> loop(const More& more, const Step& step, std::vector<Tensor> start) const {
    return while_loop(body_of(more), body_of(step), std::move(start), {}, where_);
  }

  std::vector<Gradient> distribute(std::span<const Tensor> dense) const {
    std::vector<Gradient> out;
    std::size_t next = 0;
    const auto place = [&](const Tensor& t) {
      Gradient g;
      if (is_differentiable(t.dtype())) g.dense = dense[next++];
      out.push_back(std::move(g));
    };
    for (const Tensor& t : state_)
      place(t);
    for (const Tensor& t : captures_)
      place(t);
    for (const Tensor& t : values_)
      place(t);
    return out;
  }

  std::shared_ptr<Graph> body_, pure_;
  std::vector<Tensor> state_, captures_;
  Variables variables_;
  std::vector<Tensor> values_;
  Tensor counter_;
  std::string varying_;
  bool condition_writes_;
  Where where_;
};

struct Loop {
  TracedBody condition, body;
};

/// Specs in which a dimension that may have any size has a name: the body may keep it.
std::vector<TensorSpec> named(std::span<const TensorSpec> specs) {
  std::vector<TensorSpec> list(specs.begin(), specs.end());
  for (TensorSpec& s : list) {
    for (int d = 0; d < s.shape.rank(); ++d) {
      if (!s.shape[d].known() && !s.shape[d].is_symbol()) s.shape[d] = Dim::fresh_symbol();
    }
  }
  return list;
}

/// A tensor of the state, after the counter, of which it is not known that an iteration keeps its
/// shape; "": none.
std::string varying_state(const Graph& body, std::size_t state) {
  for (std::size_t i = 1; i < state; ++i) {
    const Spec& before = body.node(body.inputs[i]).outputs[0];
    const Spec& after = body.spec(body.outputs[i]);
    bool same = before.shape.has_rank() && after.shape.rank() == before.shape.rank();
    for (int d = 0; same && d < before.shape.rank(); ++d)
      same = before.shape[d].same(after.shape[d]);
    if (!same)
      return "tensor " + std::to_string(i - 1) + " of the state: " + before.describe() +
             " becomes " + after.describe();
  }
  return "";
}

/// Traces condition and body. A variable that either writes must be read anew in each iteration,
/// so its read cannot be hoisted out of the loop; which ones are written is known only after
/// tracing.
Loop trace_loop(const std::shared_ptr<graph::Builder>& outer,
                Body condition,
                Body body,
                std::span<const TensorSpec> specs) {
  const std::vector<TensorSpec> inputs = named(specs);
  std::unordered_set<const VariableState*> written;
  const auto one = [&](const char* name, Body b) {
    return trace_body(outer, name, inputs, written, [&](std::span<const Tensor> t) {
      return b.run(b.context, t);
    });
  };
  Loop loop{one("condition", condition), one("body", body)};
  graph::collect_writes(*loop.condition.graph, written);
  graph::collect_writes(*loop.body.graph, written);
  if (written.empty()) return loop;
  TracedBody first = one("condition", condition);
  return {std::move(first), one("body", body)};
}

/// The node: the state, then the captures, which pass through unchanged.
std::vector<Tensor> add_loop(const std::shared_ptr<graph::Builder>& outer,
                             Loop& loop,
                             std::span<const Tensor> state,
                             std::span<const TensorSpec> specs,
                             LoopRecord& record,
                             const WhileOptions& options,
                             Where where) {
  TracedBody* bodies[] = {&loop.condition, &loop.body};
  const std::vector<Tensor>& captures = record.captures = unify_captures(bodies, state.size());
  Graph& body = *loop.body.graph;
  for (std::size_t i = 0; i < captures.size(); ++i)
    body.outputs.push_back({body.inputs[state.size() + i], 0});
  graph::Node n;
  n.kind = Kind::while_;
  n.name = options.name;
  n.where = where;
  n.bodies = {loop.condition.graph, loop.body.graph};
  if (!record.varying.empty()) n.annotations[kVaryingState] = record.varying;
  for (const Tensor& t : state)
    n.inputs.push_back(outer->ref(t, where));
  for (const Tensor& t : captures)
    n.inputs.push_back(outer->ref(t, where));
  for (const TensorSpec& s : specs)
    n.outputs.push_back({s.dtype, s.shape});
  for (const Tensor& t : captures)
    n.outputs.push_back({t.dtype(), t.shape()});
  std::vector<Tensor> results = outer->add_structural(std::move(n));
  results.resize(state.size());
  return results;
}

/// The values before the loop of the variables that it carries from one iteration to the next.
void read_carried(const std::shared_ptr<graph::Builder>& outer,
                  const Loop& loop,
                  LoopRecord& record,
                  Where where) {
  dispatch::HandlerScope scope(*outer);
  record.variables = carried_variables({&loop.body.graph, 1});
  record.condition_writes = writes_what_is_read(*loop.condition.graph, *loop.body.graph);
  for (const auto& v : record.variables)
    record.values.push_back(Variable(v).value(where));
}

}  // namespace

std::vector<Tensor> while_eagerly(Body condition,
                                  Body body,
                                  std::vector<Tensor> state,
                                  const WhileOptions& options,
                                  Where where) {
  for (std::int64_t k = 0; options.maximum_iterations < 0 || k < options.maximum_iterations; ++k) {
    if (!is_true(condition, state, where)) break;
    Flat next = body.run(body.context, state);
    check_iteration(state, next.tensors, where);
    state = std::move(next.tensors);
  }
  return state;
}

std::vector<Tensor> while_node(const std::shared_ptr<graph::Builder>& outer,
                               Body condition,
                               Body body,
                               std::span<const Tensor> state,
                               const WhileOptions& options,
                               bool may_vary,
                               Where where) {
  const std::vector<TensorSpec> specs = state_specs(state, options, where);
  Loop loop = trace_loop(outer, condition, body, specs);
  check_condition(*loop.condition.graph, where);
  check_body(*loop.body.graph, specs, where);
  LoopRecord record;
  if (may_vary) record.varying = varying_state(*loop.body.graph, state.size());
  record.state.assign(state.begin(), state.end());
  if (!dispatch::active_recorders().empty()) read_carried(outer, loop, record, where);
  std::vector<Tensor> results = add_loop(outer, loop, state, specs, record, options, where);
  const std::vector<Tensor> inputs = record.inputs();
  if (!autodiff::follows(inputs)) return results;
  record.body = loop.body.graph;
  record.counter = results[0];
  autodiff::record(
      inputs, {}, results, std::make_shared<WhileBackward>(std::move(record), where), where);
  return results;
}

/// The counter in front of the state counts iterations, bounds them, and serves the gradient.
std::vector<Tensor> while_loop(Body condition,
                               Body body,
                               std::vector<Tensor> state,
                               const WhileOptions& options,
                               Where where) {
  check_state(state, where);
  const auto outer = builder_for(state);
  if (!outer) return while_eagerly(condition, body, std::move(state), options, where);
  dispatch::HandlerScope scope(*outer);
  const auto counted_condition = [&](std::span<const Tensor> s) {
    Flat go = condition.run(condition.context, s.subspan(1));
    if (options.maximum_iterations >= 0 && go.tensors.size() == 1 &&
        go.tensors[0].dtype() == DType::boolean)
      go.tensors[0] = go.tensors[0] & less(s[0], to_index(options.maximum_iterations));
    return go;
  };
  const auto counted_body = [&](std::span<const Tensor> s) {
    Flat next = body.run(body.context, s.subspan(1));
    next.tensors.insert(next.tensors.begin(), plus(s[0], to_index(1)));
    return next;
  };
  std::vector<Tensor> counted{to_index(0)};
  counted.insert(counted.end(), state.begin(), state.end());
  WhileOptions inner = options;
  if (!inner.shape_invariants.empty())
    inner.shape_invariants.insert(inner.shape_invariants.begin(), Shape{});
  std::vector<Tensor> end = while_node(outer,
                                       body_of(counted_condition),
                                       body_of(counted_body),
                                       counted,
                                       inner,
                                       !options.shape_invariants.empty(),
                                       where);
  end.erase(end.begin());
  return end;
}

void check_plain(const Flat& initial, const Flat& next, Where where) {
  if (next.key == initial.key || next.tensors.size() != initial.tensors.size()) return;
  const bool lengths = next.lengths != initial.lengths;
  fail(where,
       std::string("while_loop: the body changes ") +
           (lengths ? "the structure of the state" : "a value of the state that is no tensor"),
       "'" + next.key + "'",
       "'" + initial.key + "', as it was before the loop",
       lengths ? "" : "make it a tensor");
}

Tensor to_index(Operand value) {
  if (value.is_scalar()) return Tensor(std::int64_t(value.scalar().i));
  const Tensor t = value.to_tensor();
  return t.dtype() == DType::int64 ? t : cast(Operand(t, value.where()), DType::int64);
}
Tensor less(const Tensor& a, const Tensor& b) {
  return a < b;
}
Tensor plus(const Tensor& a, const Tensor& b) {
  return a + b;
}

}  // namespace weir::inline v0::flow
