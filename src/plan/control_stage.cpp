#include "plan/control_stage.h"

#include <algorithm>
#include <unordered_map>

#include "dispatch/handler.h"
#include "graph/replay.h"

namespace weir::plan {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

/// Plans of one body that are kept.
constexpr std::size_t kMaxPlans = 8;

bool fits(std::span<const Tensor> arguments, std::span<const Spec> shapes) {
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const TensorImpl& t = *arguments[i].impl();
    if (t.dtype() != shapes[i].dtype ||
        !std::ranges::equal(t.shape().dims(), shapes[i].shape.dims()))
      return false;
  }
  return true;
}

void replay(const Graph& graph, std::span<const Tensor> arguments, std::span<Tensor> results) {
  dispatch::PauseRecording pause;
  dispatch::HandlerScope eager(dispatch::default_handler());
  std::vector<Tensor> values = graph::replay(graph, arguments);
  std::move(values.begin(), values.end(), results.begin());
}

/// The same graph with these outputs.
std::shared_ptr<const Graph> with_outputs(const Graph& graph, std::vector<Ref> outputs) {
  auto copy = std::make_shared<Graph>(graph);
  copy->outputs = std::move(outputs);
  return copy;
}

bool same_static(const Spec& a, const Spec& b) {
  return a.dtype == b.dtype && a.shape.is_static() && a.shape == b.shape;
}

void check_cancelled(const RunOptions& options) {
  if (options.cancel && options.cancel->load())
    throw Error({Code::cancelled, "the run was cancelled", {}, {}, {}, {}});
}

}  // namespace

std::size_t taken_branch(Kind kind, const Tensor& selector, std::size_t branches) {
  if (kind == Kind::if_) return selector.truth() ? 0 : 1;
  const auto i = selector.item<std::int64_t>();
  return i < 0 || i >= std::int64_t(branches) ? branches - 1 : std::size_t(i);
}

void PlannedBody::run(std::span<const Tensor> arguments,
                      std::span<Tensor> results,
                      const RunOptions& options) const {
  if (fixed_) {
    if (const Executable* plan = fixed_plan()) return plan->run_into(arguments, results, options);
  } else if (const Plan plan = plan_for(arguments)) {
    return plan->run_into(arguments, results, options);
  }
  check_cancelled(options);
  replay(*graph_, arguments, results);
}

const Executable* PlannedBody::fixed_plan() const {
  if (!ready_.load(std::memory_order_acquire)) {
    std::call_once(made_, [this] {
      std::vector<Spec> shapes;
      for (int i : graph_->inputs)
        shapes.push_back(graph_->spec({i, 0}));
      only_ = make(shapes);
      ready_.store(true, std::memory_order_release);
    });
  }
  return only_.get();
}

/// Null where planning fails, as it does for shapes that do not fit: the error belongs to the run.
PlannedBody::Plan PlannedBody::make(std::span<const Spec> shapes) const {
  try {
    return plan::plan(specialise(*graph_, shapes), options_);
  } catch (const Error&) {
    return nullptr;
  }
}

PlannedBody::Plan PlannedBody::plan_for(std::span<const Tensor> arguments) const {
  {
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(
        plans_.begin(), plans_.end(), [&](const Entry& e) { return fits(arguments, e.shapes); });
    if (found == plans_.end()) {
      Entry cold;
      for (const Tensor& t : arguments)
        cold.shapes.push_back({t.dtype(), t.shape()});
      plans_.insert(plans_.begin(), std::move(cold));
      if (plans_.size() > kMaxPlans) plans_.pop_back();
      return nullptr;
    }
    std::rotate(plans_.begin(), found, found + 1);
    if (plans_[0].plan || plans_[0].failed) return plans_[0].plan;
  }
  // Another thread may plan the same: the last one stored stays.
  std::vector<Spec> shapes;
  for (const Tensor& t : arguments)
    shapes.push_back({t.dtype(), t.shape()});
  const Plan plan = make(shapes);
  std::lock_guard lock(mutex_);
  for (Entry& e : plans_) {
    if (fits(arguments, e.shapes)) e.plan = plan, e.failed = !plan;
  }
  return plan;
}

std::int64_t PlannedBody::peak_bytes() const {
  return ready_.load(std::memory_order_acquire) && only_ ? only_->peak_bytes() : 0;
}

ControlStage::ControlStage(std::shared_ptr<const Graph> graph,
                           const StageNodes& stage,
                           const PlanOptions& options)
    : graph_(std::move(graph)), node_(&graph_->node(stage.nodes.back())) {
  for (Ref r : node_->inputs) {
    const Node& from = graph_->node(r.node);
    const auto at = std::find(stage.inputs.begin(), stage.inputs.end(), r);
    operands_.push_back(from.kind == Kind::constant ? Operand{-1, from.value}
                                                    : Operand{int(at - stage.inputs.begin()), {}});
  }
  for (Ref r : stage.results)
    wanted_.push_back(r.output);
  if (node_->kind == Kind::while_)
    add_loop(options);
  else
    add_branches(options);
}

/// True if the bodies' inputs have the static shapes of the operands.
bool ControlStage::fixed(std::size_t first_operand) const {
  return std::all_of(node_->bodies.begin(), node_->bodies.end(), [&](const auto& body) {
    for (std::size_t i = 0; i < body->inputs.size(); ++i) {
      if (!same_static(body->spec({body->inputs[i], 0}),
                       graph_->spec(node_->inputs[first_operand + i])))
        return false;
    }
    return true;
  });
}

void ControlStage::add_branches(const PlanOptions& options) {
  const bool always = fixed(1);
  for (const auto& body : node_->bodies) {
    std::vector<Ref> outputs;
    for (int o : wanted_)
      outputs.push_back(body->outputs[std::size_t(o)]);
    bodies_.push_back(
        std::make_unique<PlannedBody>(with_outputs(*body, std::move(outputs)), always, options));
  }
}

/// What the body hands through needs no result of its own.
void ControlStage::add_loop(const PlanOptions& options) {
  const Graph& body = *node_->bodies[1];
  bool always = fixed(0);
  std::unordered_map<int, int> state;  // input node -> number
  for (std::size_t i = 0; i < body.inputs.size(); ++i)
    state[body.inputs[i]] = int(i);
  std::vector<Ref> results;
  for (std::size_t k = 0; k < body.outputs.size(); ++k) {
    const Ref r = body.outputs[k];
    const Node& n = body.node(r.node);
    always = always && same_static(body.spec(r), body.spec({body.inputs[k], 0}));
    if (n.kind == Kind::input) {
      const int from = state.at(r.node);
      next_.push_back({from == int(k) ? Next::From::same : Next::From::state, from, {}});
    } else if (n.kind == Kind::constant) {
      next_.push_back({Next::From::constant, 0, n.value});
    } else {
      const auto at = std::find(results.begin(), results.end(), r) - results.begin();
      if (std::size_t(at) == results.size()) results.push_back(r);
      next_.push_back({Next::From::result, int(at), {}});
    }
  }
  bodies_.push_back(std::make_unique<PlannedBody>(node_->bodies[0], always, options));
  bodies_.push_back(
      std::make_unique<PlannedBody>(with_outputs(body, std::move(results)), always, options));
}

std::vector<Tensor> ControlStage::operands(std::span<const Tensor* const> inputs) const {
  std::vector<Tensor> list;
  list.reserve(operands_.size());
  for (const Operand& o : operands_)
    list.push_back(o.input < 0 ? o.constant : *inputs[std::size_t(o.input)]);
  return list;
}

void ControlStage::run(std::span<const Tensor* const> inputs,
                       std::span<Tensor> results,
                       const RunOptions& options) const {
  RunOptions inner;
  inner.cancel = options.cancel;
  if (node_->kind == Kind::while_) return run_loop(operands(inputs), results, inner);
  run_branch(operands(inputs), results, inner);
}

void ControlStage::run_branch(std::span<const Tensor> operands,
                              std::span<Tensor> results,
                              const RunOptions& options) const {
  const std::size_t taken = taken_branch(node_->kind, operands[0], bodies_.size());
  bodies_[taken]->run(operands.subspan(1), results, options);
}

/// Two sets of results take turns: what an iteration computed is overwritten by the one after next.
void ControlStage::run_loop(std::vector<Tensor> state,
                            std::span<Tensor> results,
                            const RunOptions& options) const {
  RunOptions reusing = options;
  reusing.reuse_results = true;
  const PlannedBody &condition = *bodies_[0], &body = *bodies_[1];
  std::vector<Tensor> computed(body.graph().outputs.size());
  Tensor more;
  for (;;) {
    check_cancelled(options);
    condition.run(state, {&more, 1}, reusing);
    if (!more.truth()) break;
    body.run(state, computed, reusing);
    advance(state, computed);
  }
  for (std::size_t i = 0; i < results.size(); ++i)
    results[i] = state[std::size_t(wanted_[i])];
}

void ControlStage::advance(std::vector<Tensor>& state, std::vector<Tensor>& computed) const {
  using From = Next::From;
  base::SmallVector<Tensor, 4> moved;
  for (const Next& n : next_) {
    if (n.from == From::state) moved.push_back(state[std::size_t(n.index)]);
  }
  std::size_t next_moved = 0;
  base::SmallVector<int, 8> owner;  // by result: the state tensor that has it
  owner.resize(computed.size());
  for (int& o : owner)
    o = -1;
  for (std::size_t k = 0; k < next_.size(); ++k) {
    const Next& n = next_[k];
    if (n.from == From::state) state[k] = std::move(moved[next_moved++]);
    if (n.from == From::constant) state[k] = n.constant;
    if (n.from != From::result) continue;
    int& first = owner[std::size_t(n.index)];
    if (first < 0)
      std::swap(state[k], computed[std::size_t(n.index)]), first = int(k);
    else
      state[k] = state[std::size_t(first)];
  }
}

std::int64_t ControlStage::peak_bytes() const {
  std::int64_t peak = 0;
  for (const auto& body : bodies_)
    peak = std::max(peak, body->peak_bytes());
  return peak;
}

}  // namespace weir::plan
