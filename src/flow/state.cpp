#include "flow/state.h"

#include <algorithm>

#include "flow/body.h"
#include "tensor/variable_state.h"

namespace weir::inline v0::flow {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

/// What graphs do to variables, bodies included.
class Uses {
 public:
  void add(const Graph& g) {
    if (!seen_.insert(&g).second) return;
    for (const Node& n : g.nodes()) {
      if (n.kind == Kind::write) writes.insert(n.variable.get());
      if (n.kind == Kind::read && reads.insert(n.variable.get()).second)
        order.push_back(n.variable);
      for (const auto& body : n.bodies)
        add(*body);
    }
  }
  bool touches(const VariableState* v) const { return reads.contains(v) || writes.contains(v); }

  std::unordered_set<const VariableState*> reads, writes;
  Variables order;  // of the reads

 private:
  std::unordered_set<const Graph*> seen_;
};

using States = std::unordered_set<const VariableState*>;

bool any_in(const States& a, const States& b) {
  return std::any_of(a.begin(), a.end(), [&](const VariableState* v) { return b.contains(v); });
}

Uses uses_of(const Node& n) {
  Uses uses;
  if (n.kind == Kind::read) uses.reads.insert(n.variable.get()), uses.order.push_back(n.variable);
  if (n.kind == Kind::write) uses.writes.insert(n.variable.get());
  for (const auto& body : n.bodies)
    uses.add(*body);
  return uses;
}

/// Nodes that the results, or what the variables in `kept` end up with, are computed from.
std::vector<char> needed_nodes(const Graph& g, const States& kept) {
  std::vector<char> needed(g.size(), 0);
  for (Ref r : g.outputs)
    needed[std::size_t(r.node)] = 1;
  for (int i = int(g.size()); i-- > 0;) {
    const Node& n = g.node(i);
    char& own = needed[std::size_t(i)];
    if (!own && (n.kind == Kind::write || !n.bodies.empty())) own = any_in(uses_of(n).writes, kept);
    if (!own) continue;
    for (Ref r : n.inputs)
      needed[std::size_t(r.node)] = 1;
  }
  return needed;
}

Spec spec_of(const VariableState& v) {
  return {v.dtype(), v.shape()};
}

[[noreturn]] void refuse(const Node& n, const VariableState& v, const char* what) {
  throw Error(
      {Code::unimplemented,
       "gradient of control flow with effects",
       to_string(n.where),
       "variable '" + v.name + "', " + what,
       "a body that reads what it does not write before",
       "pass the value on as a tensor, in the state of the loop or the result of the branch"});
}

class Threading {
 public:
  Threading(const Graph& from, const Variables& variables)
      : from_(from),
        variables_(variables),
        pure_(std::make_shared<Graph>(from.name())),
        place_(from.size()) {}

  std::shared_ptr<Graph> run() {
    for (int i : from_.inputs)
      place_[std::size_t(i)] = {pure_->add(from_.node(i)), 0};
    for (const auto& v : variables_) {
      Node input;
      input.kind = Kind::input;
      input.name = v->name;
      input.outputs.push_back(spec_of(*v));
      start_.push_back({pure_->add(std::move(input)), 0});
    }
    current_ = start_;
    States kept;
    for (const auto& v : variables_)
      kept.insert(v.get());
    const std::vector<char> needed = needed_nodes(from_, kept);
    for (int i = 0; i < int(from_.size()); ++i) {
      if (needed[std::size_t(i)] && from_.node(i).kind != Kind::input)
        place_[std::size_t(i)] = copy(from_.node(i));
    }
    for (Ref r : from_.outputs)
      pure_->outputs.push_back(moved(r));
    pure_->outputs.insert(pure_->outputs.end(), current_.begin(), current_.end());
    return pure_;
  }

 private:
  Ref moved(Ref r) const {
    const Ref first = place_[std::size_t(r.node)];
    return {first.node, first.output + r.output};
  }
  /// Its place among variables_; their number: none.
  std::size_t index_of(const VariableState* v) const {
    return std::size_t(std::find_if(variables_.begin(),
                                    variables_.end(),
                                    [&](const auto& o) { return o.get() == v; }) -
                       variables_.begin());
  }

  Ref copy(Node n) {
    for (Ref& r : n.inputs)
      r = moved(r);
    const std::size_t v = index_of(n.variable.get());
    const bool ours = v < variables_.size();
    if (n.kind == Kind::write) {
      if (ours) current_[v] = n.inputs[0];
      return n.inputs[0];
    }
    if (n.kind == Kind::read && ours) {
      if (current_[v] != start_[v] && is_differentiable(n.outputs[0].dtype))
        refuse(n, *n.variable, "read after it was written");
      return current_[v];
    }
    if (!n.bodies.empty()) return copy_with_bodies(std::move(n));
    return {pure_->add(std::move(n)), 0};
  }

  Ref copy_with_bodies(Node n) {
    const Uses uses = uses_of(n);
    std::vector<std::size_t> touched;
    Variables inner;
    for (std::size_t v = 0; v < variables_.size(); ++v) {
      if (!uses.touches(variables_[v].get())) continue;
      touched.push_back(v);
      inner.push_back(variables_[v]);
      check_inner(n, *variables_[v], uses);
      n.inputs.push_back(current_[v]);
    }
    for (auto& body : n.bodies)
      body = with_state(*body, inner);
    if (n.kind == Kind::while_) n.bodies[0]->outputs.resize(1);
    const auto first = int(n.outputs.size());
    for (const auto& v : inner)
      n.outputs.push_back(spec_of(*v));
    const int index = pure_->add(std::move(n));
    for (std::size_t k = 0; k < touched.size(); ++k)
      current_[touched[k]] = {index, first + int(k)};
    return {index, 0};
  }
  static void check_inner(const Node& n, const VariableState& v, const Uses& uses) {
    if (!uses.writes.contains(&v)) return;
    if (is_differentiable(v.dtype())) refuse(n, v, "read and written by an inner body");
    if (n.kind != Kind::while_) return;
    Uses condition;
    condition.add(*n.bodies[0]);
    if (condition.writes.contains(&v)) refuse(n, v, "written by the condition of a loop");
  }

  const Graph& from_;
  const Variables& variables_;
  std::shared_ptr<Graph> pure_;
  std::vector<Ref> place_;
  std::vector<Ref> start_, current_;  // values of variables_
};

}  // namespace

Variables carried_variables(std::span<const std::shared_ptr<Graph>> bodies) {
  Uses all;
  for (const auto& body : bodies)
    all.add(*body);
  Variables list;
  States kept;
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& body : bodies) {
      const std::vector<char> needed = needed_nodes(*body, kept);
      for (int i = 0; i < int(body->size()); ++i) {
        if (!needed[std::size_t(i)]) continue;
        for (const auto& v : uses_of(body->node(i)).order) {
          if (!all.writes.contains(v.get()) || !kept.insert(v.get()).second) continue;
          list.push_back(v);
          grown = true;
        }
      }
    }
  }
  return list;
}

bool writes_what_is_read(const Graph& a, const Graph& b) {
  Uses of_a, of_b;
  of_a.add(a);
  of_b.add(b);
  return std::any_of(of_b.order.begin(), of_b.order.end(), [&](const auto& v) {
    return of_a.writes.contains(v.get());
  });
}

std::shared_ptr<Graph> with_state(const Graph& g, const Variables& variables) {
  return Threading(g, variables).run();
}

}  // namespace weir::inline v0::flow
