#include "graph/builder.h"

#include <algorithm>
#include <atomic>

#include "graph/replay.h"

namespace weir::graph {
namespace {

/// Ids of symbolic tensors; those of concrete ones have no top bit.
std::atomic<std::uint64_t> next_id{std::uint64_t{1} << 63};
thread_local const Node* replayed = nullptr;

std::string scoped(const std::string& name) {
  const std::string& scope = dispatch::current_name_scope();
  return scope.empty() ? name : scope + "/" + name;
}

Spec spec_of(const Tensor& t) {
  return {t.dtype(), t.shape()};
}

[[noreturn]] void throw_leaked(const std::string& tensor, std::source_location where) {
  ErrorInfo e;
  e.code = Code::failed_precondition;
  e.what = "a symbolic tensor is used out of its scope";
  e.where = to_string(where);
  e.got = tensor;
  e.expected = "a tensor of the function or graph that is being built";
  e.fix = "return the tensor from the function that made it, or pass it as an argument";
  throw Error(e);
}

}  // namespace

Provenance::Provenance(const Node& node) : outer_(replayed) {
  replayed = &node;
}
Provenance::~Provenance() {
  replayed = outer_;
}

Builder::Builder(std::string name, std::shared_ptr<Builder> outer)
    : graph_(std::make_shared<Graph>(std::move(name))), outer_(std::move(outer)) {}

std::shared_ptr<Builder> Builder::create(std::string name, std::shared_ptr<Builder> outer) {
  return std::shared_ptr<Builder>(new Builder(std::move(name), std::move(outer)));
}

Node Builder::make_node(Kind kind, std::source_location where) const {
  Node n;
  n.kind = kind;
  n.where = where;
  if (replayed) {
    n.where = replayed->where;
    n.annotations = replayed->annotations;
  }
  return n;
}

Tensor Builder::input(const TensorSpec& spec) {
  Node n = make_node(Kind::input, {});
  n.name = scoped(spec.name.empty() ? "input" : spec.name);
  n.outputs.push_back({spec.dtype, spec.shape});
  return tensor({graph_->add(std::move(n)), 0});
}

Tensor Builder::constant(const Tensor& value, std::string name) {
  const auto it = constants_.find(value.impl());
  if (it != constants_.end()) return tensor(it->second.second);
  Node n = make_node(Kind::constant, {});
  n.name = scoped(name);
  n.outputs.push_back(spec_of(value));
  n.value = value;
  const Ref r{graph_->add(std::move(n)), 0};
  constants_.emplace(value.impl(), std::make_pair(value, r));
  return tensor(r);
}

/// Each output of each node has an id of its own, for ever.
std::uint64_t Builder::id_of(Ref r) {
  const auto node = std::size_t(r.node);
  if (first_id_.size() <= node) first_id_.resize(std::max(graph_->size(), node + 1));
  std::uint64_t& first = first_id_[node];
  if (first == 0)
    first = next_id.fetch_add(graph_->node(r.node).outputs.size(), std::memory_order_relaxed);
  return first + std::uint64_t(r.output);
}

Tensor Builder::tensor(Ref r) {
  const Spec& s = graph_->spec(r);
  return TensorImpl::symbolic({s.dtype, s.shape}, shared_from_this(), r.node, r.output, id_of(r));
}

Builder* Builder::owner_of(const Tensor& symbolic) {
  for (Builder* b = this; b; b = b->outer_.get()) {
    if (symbolic.impl()->source().get() == static_cast<tensor::SymbolSource*>(b)) return b;
  }
  return nullptr;
}

bool Builder::can_use(const Tensor& t) {
  const Builder* owner = owner_of(t);
  return owner && owner->open_ && open_;
}

void Builder::check_operand(const Tensor& t, std::source_location where) {
  if (can_use(t)) return;
  throw_leaked(t.impl()->source()->describe(t.impl()->node(), t.impl()->output()), where);
}

Ref Builder::capture(const Tensor& t) {
  const std::uint64_t id = t.impl()->id();
  const auto it = captured_.find(id);
  if (it != captured_.end()) return it->second;
  Node n = make_node(Kind::input, {});
  n.name = "captured";
  n.outputs.push_back(spec_of(t));
  const Ref r{graph_->add(std::move(n)), 0};
  captures_.push_back(t);
  captured_.emplace(id, r);
  return r;
}

Ref Builder::ref(const Tensor& t, std::source_location where) {
  const TensorImpl& p = *t.impl();
  if (!p.is_symbolic()) {
    const Tensor c = constant(t);
    return {c.impl()->node(), 0};
  }
  check_operand(t, where);
  return owner_of(t) == this ? Ref{p.node(), p.output()} : capture(t);
}

void Builder::run(const dispatch::Invocation& call, std::span<Tensor> results) {
  Node n = make_node(Kind::op, call.where);
  n.op = &call.op;
  n.name = replayed ? replayed->name : scoped(call.op.name());
  for (const Tensor* t : call.inputs)
    n.inputs.push_back(ref(*t, call.where));
  n.attrs = AttrList(call.attrs);
  for (const Spec& s : call.outputs)
    n.outputs.push_back(s);
  const int index = graph_->add(std::move(n));
  for (std::size_t o = 0; o < results.size(); ++o)
    results[o] = tensor({index, int(o)});
}

Tensor Builder::read(const std::shared_ptr<VariableState>& variable, std::source_location where) {
  const auto it = current_values_.find(variable.get());
  if (it != current_values_.end()) return tensor(it->second);
  if (hoist_reads_ && outer_ && !written_in_bodies_.contains(variable.get())) {
    const Tensor value = outer_->read(variable, where);
    hoisted_.emplace_back(variable, value);
    const Ref r = capture(value);
    current_values_[variable.get()] = r;
    return tensor(r);
  }
  const Variable handle(variable);
  Node n = make_node(Kind::read, where);
  n.name = scoped(handle.name() + "/Read");
  n.variable = variable;
  n.outputs.push_back({handle.dtype(), handle.shape()});
  const Ref r{graph_->add(std::move(n)), 0};
  current_values_[variable.get()] = r;
  return tensor(r);
}

Tensor Builder::write(const std::shared_ptr<VariableState>& variable,
                      const Tensor& value,
                      std::source_location where) {
  const Variable handle(variable);
  Node n = make_node(Kind::write, where);
  n.name = scoped(handle.name() + "/Assign");
  n.variable = variable;
  n.inputs.push_back(ref(value, where));
  n.outputs.push_back({handle.dtype(), handle.shape()});
  const Ref r{graph_->add(std::move(n)), 0};
  // A body may be differentiated: no gradient flows from a read to what was assigned, but one flows
  // from the result of the assignment.
  if (hoist_reads_ && is_differentiable(handle.dtype())) {
    written_in_bodies_.insert(variable.get());
    current_values_.erase(variable.get());
  } else {
    current_values_[variable.get()] = r;
  }
  return tensor(r);
}

std::vector<Tensor> Builder::add_structural(Node n) {
  if (replayed) {
    n.name = replayed->name;
    n.where = replayed->where;
    n.annotations = replayed->annotations;
  } else {
    n.name = scoped(n.name.empty() ? n.type() : n.name);
  }
  // What the bodies write is read anew afterwards, and not before this node.
  if (n.has_effect()) {
    for (const auto& body : n.bodies)
      collect_writes(*body, written_in_bodies_);
    for (const VariableState* v : written_in_bodies_)
      current_values_.erase(v);
  }
  const std::size_t count = n.outputs.size();
  const int index = graph_->add(std::move(n));
  std::vector<Tensor> results;
  for (std::size_t o = 0; o < count; ++o)
    results.push_back(tensor({index, int(o)}));
  return results;
}

std::shared_ptr<Graph> Builder::finish(std::span<const Tensor> outputs) {
  for (const Tensor& t : outputs)
    graph_->outputs.push_back(ref(t, {}));
  open_ = false;
  return graph_;
}

const Tensor* Builder::constant_value(int node, int) const {
  const Node& n = graph_->node(node);
  return n.kind == Kind::constant ? &n.value : nullptr;
}

std::string Builder::name(int node, int output) const {
  return graph_->node(node).name + ":" + std::to_string(output);
}

std::string Builder::describe(int node, int output) const {
  const Node& n = graph_->node(node);
  std::string text =
      "tensor '" + n.name + ":" + std::to_string(output) + "' of '" + graph_->name() + "'";
  if (n.where.line() != 0) text += ", made at " + to_string(n.where);
  return text;
}

namespace {

/// Copies what an output is computed from. A read is the variable's value now, a write the value
/// that is written.
class Lift {
 public:
  explicit Lift(const Graph& from) : from_(from), place_(from.size()) {}

  /// False if it depends on an input; `obstacle` says which.
  bool add(Ref wanted, std::string& obstacle) {
    std::vector<char> needed(from_.size(), 0);
    needed[std::size_t(wanted.node)] = 1;
    for (int i = wanted.node; i >= 0; --i) {
      if (!needed[std::size_t(i)]) continue;
      const Node& n = from_.node(i);
      if (n.kind == Kind::input || (!n.bodies.empty() && n.has_effect())) {
        obstacle = "'" + n.name + "'";
        return false;
      }
      for (Ref r : n.inputs)
        needed[std::size_t(r.node)] = 1;
    }
    for (int i = 0; i <= wanted.node; ++i) {
      if (needed[std::size_t(i)]) copy(i);
    }
    graph.outputs.push_back(moved(wanted));
    return true;
  }
  Graph graph{"initial_value"};

 private:
  Ref moved(Ref r) const {
    const Ref first = place_[std::size_t(r.node)];
    return {first.node, first.output + r.output};
  }
  void copy(int i) {
    Node n = from_.node(i);
    for (Ref& r : n.inputs)
      r = moved(r);
    place_[std::size_t(i)] = n.kind == Kind::write ? n.inputs[0] : Ref{graph.add(std::move(n)), 0};
  }

  const Graph& from_;
  std::vector<Ref> place_;
};

}  // namespace

Tensor Builder::lift(int node, int output, std::string& obstacle) const {
  Lift lifted(*graph_);
  if (!lifted.add({node, output}, obstacle)) return {};
  dispatch::HandlerScope eager(dispatch::default_handler());
  dispatch::PauseRecording pause;
  return replay(lifted.graph, {})[0];
}

std::shared_ptr<Builder> builder_for(std::span<const Tensor> operands) {
  std::shared_ptr<Builder> current = current_builder();
  for (const Tensor& t : operands) {
    if (!t.defined() || !t.is_symbolic() || (current && current->can_use(t))) continue;
    if (auto b = std::dynamic_pointer_cast<Builder>(t.impl()->source())) return b;
  }
  return current;
}

std::shared_ptr<Builder> current_builder() {
  if (!dispatch::current_handler().is_tracing()) return nullptr;
  auto* b = dynamic_cast<Builder*>(&dispatch::current_handler());
  return b ? b->shared_from_this() : nullptr;
}

}  // namespace weir::graph
