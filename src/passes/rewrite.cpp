#include "passes/rewrite.h"

#include <algorithm>
#include <unordered_set>

#include "dispatch/call.h"

namespace weir::passes {

Node Rewrite::copy(int i) const {
  Node n = from_.node(i);
  if (!to_) return n;
  bool same_specs = true;
  for (Ref& r : n.inputs) {
    const Ref now = at(r);
    same_specs = same_specs && from_.spec(r).shape == to_->spec(now).shape;
    r = now;
  }
  if (!same_specs) refine(*to_, n);
  return n;
}

void Rewrite::diverge() {
  if (to_) return;
  int total = 0;
  first_.reserve(from_.size());
  for (const Node& n : from_.nodes()) {
    first_.push_back(total);
    total += int(n.outputs.size());
  }
  moved_.resize(std::size_t(total));
  to_ = std::make_shared<Graph>(from_.name());
  to_->reserve(from_.size());
  for (int i = 0; i < passed_; ++i) {
    to_->add(from_.node(i));
    for (int o = 0; o < int(from_.node(i).outputs.size()); ++o)
      place({i, o}, {i, o});
  }
}

void Rewrite::keep(int i) {
  if (to_) {
    const int now = to_->add(copy(i));
    for (int o = 0; o < int(from_.node(i).outputs.size()); ++o)
      place({i, o}, {now, o});
  }
  passed_ = i + 1;
}

void Rewrite::drop(int i) {
  diverge();
  passed_ = i + 1;
}

void Rewrite::replace(int i, std::span<const Ref> by) {
  diverge();
  for (int o = 0; o < int(by.size()); ++o)
    place({i, o}, by[std::size_t(o)]);
  passed_ = i + 1;
}

Ref Rewrite::replace(int i, Node by) {
  diverge();
  const Node& old = from_.node(i);
  if (by.name.empty()) by.name = old.name;
  const Ref now = add(std::move(by));
  for (int o = 0; o < int(old.outputs.size()); ++o)
    place({i, o}, {now.node, o});
  passed_ = i + 1;
  return now;
}

Ref Rewrite::add(Node n) {
  diverge();
  return {to_->add(std::move(n)), 0};
}

GraphPtr Rewrite::finish() {
  if (to_) {
    for (Ref r : from_.outputs)
      to_->outputs.push_back(at(r));
  }
  return to_;
}

namespace {

/// The more precise of two descriptions of one dimension.
Dim better(Dim known, Dim inferred) {
  if (known.known()) return known;
  return inferred.known() || inferred.is_symbol() ? inferred : known;
}

void refine(Shape& shape, const Shape& inferred) {
  if (!inferred.has_rank()) return;
  if (!shape.has_rank()) {
    shape = inferred;
  } else if (shape.rank() == inferred.rank()) {
    for (int i = 0; i < shape.rank(); ++i)
      shape[i] = better(shape[i], inferred[i]);
  }
}

}  // namespace

void refine(const Graph& graph, Node& node) {
  if (node.kind != Kind::op) return;
  base::SmallVector<SpecView, 6> specs;
  base::SmallVector<const Tensor*, 6> values;
  for (Ref r : node.inputs) {
    const Spec& s = graph.spec(r);
    specs.push_back({s.dtype, s.shape});
    const Node& producer = graph.node(r.node);
    values.push_back(producer.kind == Kind::constant ? &producer.value : nullptr);
  }
  try {
    const std::vector<Spec> inferred =
        dispatch::infer(*node.op, specs, node.attrs.view(), values, node.where);
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      refine(node.outputs[o].shape, inferred[o].shape);
  } catch (const Error&) {
    // Certain to fail when it runs.
  }
}

std::vector<Ref> splice(Rewrite& rewrite,
                        const Graph& body,
                        std::span<const Ref> arguments,
                        const Node& call) {
  rewrite.diverge();
  std::vector<int> first(body.size());
  std::vector<Ref> now;
  std::size_t next_argument = 0;
  const auto moved = [&](Ref r) { return now[std::size_t(first[std::size_t(r.node)] + r.output)]; };
  for (int i = 0; i < int(body.size()); ++i) {
    first[std::size_t(i)] = int(now.size());
    if (body.node(i).kind == Kind::input) {
      now.push_back(arguments[next_argument++]);
      continue;
    }
    Node n = body.node(i);
    for (Ref& r : n.inputs)
      r = moved(r);
    n.name = call.name + "/" + n.name;
    refine(rewrite.graph(), n);
    const int outputs = int(n.outputs.size());
    const int index = rewrite.add(std::move(n)).node;
    for (int o = 0; o < outputs; ++o)
      now.push_back({index, o});
  }
  std::vector<Ref> results;
  for (Ref r : body.outputs)
    results.push_back(moved(r));
  return results;
}

Node make_constant(Tensor value, const Node& like) {
  Node n;
  n.kind = Kind::constant;
  n.name = like.name;
  n.where = like.where;
  n.outputs.push_back({value.dtype(), value.shape()});
  n.value = std::move(value);
  return n;
}

void annotate(Node& node, const char* pass, std::span<const Node* const> from) {
  std::string names;
  std::unordered_set<std::string_view> seen;
  const auto add = [&](std::string_view name) {
    if (seen.insert(name).second) (names += names.empty() ? "" : ", ") += name;
  };
  for (const Node* n : from) {
    const auto it = n->annotations.find("from");
    std::string_view list = it == n->annotations.end() ? std::string_view(n->name) : it->second;
    for (std::size_t end; (end = list.find(", ")) != list.npos; list.remove_prefix(end + 2))
      add(list.substr(0, end));
    add(list);
  }
  node.annotations["pass"] = pass;
  node.annotations["from"] = std::move(names);
}

bool same_shape(const Shape& a, const Shape& b) {
  return a.has_rank() && b.has_rank() &&
         std::equal(
             a.dims().begin(), a.dims().end(), b.dims().begin(), b.dims().end(), [](Dim x, Dim y) {
               return x.same(y);
             });
}

}  // namespace weir::passes
