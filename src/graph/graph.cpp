#include "graph/graph.h"

#include <algorithm>
#include <cstring>

namespace weir::graph {

AttrList::AttrList(std::span<const rt::Attr> attrs) {
  attrs_.reserve(attrs.size());
  for (const rt::Attr& a : attrs)
    attrs_.push_back(own(a));
}

void AttrList::set(std::size_t i, const rt::Attr& value) {
  attrs_[i] = own(value);
}

rt::Attr AttrList::own(const rt::Attr& a) {
  using Kind = rt::Attr::Kind;
  std::size_t bytes = 0;
  const void* from = nullptr;
  if (a.kind == Kind::ints) bytes = a.count * sizeof *a.ints, from = a.ints;
  if (a.kind == Kind::reals) bytes = a.count * sizeof *a.reals, from = a.reals;
  if (a.kind == Kind::string) bytes = a.count, from = a.s;
  if (!from) return a;
  storage_.push_back(std::make_unique<std::byte[]>(std::max<std::size_t>(bytes, 1)));
  if (bytes > 0) std::memcpy(storage_.back().get(), from, bytes);
  rt::Attr owned = a;
  owned.s = reinterpret_cast<const char*>(storage_.back().get());
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

bool Node::has_effect() const {
  if (kind == Kind::read || kind == Kind::write || is(Trait::host_effect)) return true;
  return std::any_of(bodies.begin(), bodies.end(), [](const auto& b) { return b->has_effects(); });
}

bool Graph::has_effects() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& n) { return n.has_effect(); });
}

std::string Graph::unique_name(const std::string& wanted) {
  if (!by_name_.contains(wanted)) return wanted;
  int& next = next_suffix_[wanted];
  std::string name;
  do
    name = wanted + "_" + std::to_string(++next);
  while (by_name_.contains(name));
  return name;
}

void Graph::reserve(std::size_t nodes) {
  nodes_.reserve(nodes);
  by_name_.reserve(nodes);
}

int Graph::add(Node node) {
  const int index = int(nodes_.size());
  if (node.name.empty()) node.name = node.type();
  if (!by_name_.try_emplace(node.name, index).second) {
    node.name = unique_name(node.name);
    by_name_.emplace(node.name, index);
  }
  if (node.kind == Kind::input) inputs.push_back(index);
  nodes_.push_back(std::move(node));
  return index;
}

int Graph::find(std::string_view name) const {
  const auto it = by_name_.find(std::string(name));
  return it == by_name_.end() ? -1 : it->second;
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
