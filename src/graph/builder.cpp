#include "graph/builder.h"

#include <atomic>
#include <cstring>

namespace weir::graph {
namespace {

std::atomic<std::uint64_t> next_number{0};
thread_local const Node* replayed = nullptr;

/// 1 | 23 bits of the graph | 28 bits of the node | 12 bits of the output.
std::uint64_t symbol_id(std::uint64_t graph, Ref r) {
  return std::uint64_t{1} << 63 | (graph & 0x7fffff) << 40 |
         std::uint64_t(r.node & 0xfffffff) << 12 | std::uint64_t(r.output & 0xfff);
}

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
    : graph_(std::make_shared<Graph>(std::move(name))),
      outer_(std::move(outer)),
      number_(next_number++) {}

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

Tensor Builder::tensor(Ref r) {
  const Spec& s = graph_->spec(r);
  return TensorImpl::symbolic(
      {s.dtype, s.shape}, shared_from_this(), r.node, r.output, symbol_id(number_, r));
}

Builder* Builder::owner_of(const Tensor& symbolic) {
  for (Builder* b = this; b; b = b->outer_.get()) {
    if (symbolic.impl()->source().get() == static_cast<tensor::SymbolSource*>(b)) return b;
  }
  return nullptr;
}

void Builder::check_operand(const Tensor& t, std::source_location where) {
  const Builder* owner = owner_of(t);
  if (owner && owner->open_ && open_) return;
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
  if (hoist_reads_ && outer_) {
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
  current_values_[variable.get()] = r;
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
  // What the bodies write is read anew afterwards.
  if (n.has_effect()) current_values_.clear();
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

std::shared_ptr<Builder> current_builder() {
  auto* b = dynamic_cast<Builder*>(&dispatch::current_handler());
  return b ? b->shared_from_this() : nullptr;
}

}  // namespace weir::graph
