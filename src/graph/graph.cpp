#include "graph/graph.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_set>

namespace weir::graph {

AttrList::AttrList(std::span<const rt::Attr> attrs) {
  if (attrs.empty()) return;
  data_ = std::make_shared<Data>();
  data_->attrs.reserve(attrs.size());
  for (const rt::Attr& a : attrs)
    data_->attrs.push_back(data_->own(a));
}

void AttrList::set(std::size_t i, const rt::Attr& value) {
  if (data_.use_count() > 1) *this = AttrList(view());
  data_->attrs[i] = data_->own(value);
}

rt::Attr AttrList::Data::own(const rt::Attr& a) {
  using Kind = rt::Attr::Kind;
  std::size_t bytes = 0;
  const void* from = nullptr;
  if (a.kind == Kind::ints) bytes = a.count * sizeof *a.ints, from = a.ints;
  if (a.kind == Kind::reals) bytes = a.count * sizeof *a.reals, from = a.reals;
  if (a.kind == Kind::string) bytes = a.count, from = a.s;
  if (!from) return a;
  storage.push_back(std::make_unique<std::byte[]>(std::max<std::size_t>(bytes, 1)));
  if (bytes > 0) std::memcpy(storage.back().get(), from, bytes);
  rt::Attr owned = a;
  owned.s = reinterpret_cast<const char*>(storage.back().get());
  return owned;
}

const char* Node::type() const {
  switch (kind) {
    case Kind::input:
      return "Placeholder";
    case Kind::constant:
      return "Const";
    case Kind::output:
      return "_Retval";
    case Kind::call:
      return "StatefulPartitionedCall";
    case Kind::if_:
      return "If";
    case Kind::while_:
      return "While";
    case Kind::case_:
      return "Case";
    case Kind::read:
      return "ReadVariableOp";
    case Kind::write:
      return "AssignVariableOp";
    case Kind::region:
      return "Region";
    case Kind::op:
      return op->name().c_str();
  }
  return "?";
}

namespace {

bool any_node(const Node& node,
              bool (*holds)(const Node&),
              std::unordered_set<const Graph*>& seen) {
  if (holds(node)) return true;
  return std::any_of(node.bodies.begin(), node.bodies.end(), [&](const auto& body) {
    return seen.insert(body.get()).second &&
           std::any_of(body->nodes().begin(), body->nodes().end(), [&](const Node& n) {
             return any_node(n, holds, seen);
           });
  });
}

}  // namespace

bool any_node(const Node& node, bool (*holds)(const Node&)) {
  if (node.bodies.empty()) return holds(node);
  std::unordered_set<const Graph*> seen;
  return any_node(node, holds, seen);
}

bool Node::has_effect() const {
  return any_node(*this, [](const Node& n) {
    return n.kind == Kind::read || n.kind == Kind::write || n.is(Trait::host_effect);
  });
}

bool Node::must_stay() const {
  return any_node(*this,
                  [](const Node& n) { return n.kind == Kind::write || n.is(Trait::host_effect); });
}

std::vector<bool> needed_nodes(const Graph& graph) {
  std::vector<bool> needed(graph.size());
  for (Ref r : graph.outputs)
    needed[std::size_t(r.node)] = true;
  for (std::size_t i = graph.size(); i-- > 0;) {
    const Node& n = graph.node(int(i));
    if (!needed[i] && !n.must_stay()) continue;
    needed[i] = true;
    for (Ref r : n.inputs)
      needed[std::size_t(r.node)] = true;
  }
  return needed;
}

bool Graph::has_effects() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& n) { return n.has_effect(); });
}

namespace {

std::uint32_t hash_of(std::string_view name) {
  return std::uint32_t(std::hash<std::string_view>()(name));
}

}  // namespace

int NameIndex::find(std::string_view name, const std::vector<Node>& nodes) const {
  if (slots_.empty()) return -1;
  const std::uint32_t hash = hash_of(name);
  for (std::size_t i = hash;; ++i) {
    const Slot& s = slots_[i & (slots_.size() - 1)];
    if (s.node < 0) return -1;
    if (s.hash == hash && nodes[std::size_t(s.node)].name == name) return s.node;
  }
}

int NameIndex::insert(const std::string& name, int node, const std::vector<Node>& nodes) {
  if (const int found = find(name, nodes); found >= 0) return found;
  reserve(++count_);
  place({hash_of(name), node});
  return node;
}

void NameIndex::place(Slot slot) {
  for (std::size_t i = slot.hash;; ++i) {
    Slot& s = slots_[i & (slots_.size() - 1)];
    if (s.node >= 0) continue;
    s = slot;
    return;
  }
}

void NameIndex::reserve(std::size_t nodes) {
  std::size_t slots = std::max<std::size_t>(slots_.size(), 16);
  while (slots < 2 * nodes)
    slots *= 2;
  if (slots > slots_.size()) grow(slots);
}

void NameIndex::grow(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (const Slot& s : old) {
    if (s.node >= 0) place(s);
  }
}

std::string Graph::unique_name(const std::string& wanted, int node) {
  int& next = next_suffix_[wanted];
  std::string name;
  do
    name = wanted + "_" + std::to_string(++next);
  while (by_name_.insert(name, node, nodes_) != node);
  return name;
}

void Graph::reserve(std::size_t nodes) {
  nodes_.reserve(nodes);
  by_name_.reserve(nodes);
}

int Graph::add(Node node) {
  const int index = int(nodes_.size());
  if (node.name.empty()) node.name = node.type();
  if (by_name_.insert(node.name, index, nodes_) != index) node.name = unique_name(node.name, index);
  if (node.kind == Kind::input) inputs.push_back(index);
  nodes_.push_back(std::move(node));
  return index;
}

int Graph::find(std::string_view name) const {
  return by_name_.find(name, nodes_);
}

namespace {
void collect_writes(const Graph& graph,
                    std::unordered_set<const VariableState*>& variables,
                    std::unordered_set<const Graph*>& seen) {
  if (!seen.insert(&graph).second) return;
  for (const Node& n : graph.nodes()) {
    if (n.kind == Kind::write) variables.insert(n.variable.get());
    for (const auto& body : n.bodies)
      collect_writes(*body, variables, seen);
  }
}
}  // namespace

void collect_writes(const Graph& graph, std::unordered_set<const VariableState*>& variables) {
  std::unordered_set<const Graph*> seen;
  collect_writes(graph, variables, seen);
}

std::vector<std::vector<int>> Graph::consumers() const {
  std::vector<std::vector<int>> users(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    for (Ref r : nodes_[i].inputs) {
      auto& list = users[std::size_t(r.node)];
      if (list.empty() || list.back() != int(i)) list.push_back(int(i));
    }
  }
  for (Ref r : outputs)
    users[std::size_t(r.node)].push_back(-1);
  return users;
}

}  // namespace weir::graph
