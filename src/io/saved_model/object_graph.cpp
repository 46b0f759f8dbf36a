#include "io/saved_model/object_graph.h"

#include <deque>

#include "io/file/file.h"

namespace weir::io {
namespace {

constexpr std::string_view kValue = "VARIABLE_VALUE";

template <class Node>
int child_of(const Node& node, std::string_view name, int count) {
  for (const auto& child : node.children()) {
    if (child.local_name() != name) continue;
    if (child.node_id() < 0 || child.node_id() >= count) break;
    return child.node_id();
  }
  return -1;
}

std::string key_of(const proto::TrackableObjectGraph::TrackableObject& node) {
  for (const auto& attribute : node.attributes()) {
    if (attribute.name() == kValue) return attribute.checkpoint_key();
  }
  return {};
}

}  // namespace

ObjectGraph::ObjectGraph(const proto::SavedObjectGraph& saved,
                         const proto::TrackableObjectGraph& stored)
    : saved_(saved), keys_(static_cast<std::size_t>(saved.nodes_size())) {
  for (const proto::SavedObject& node : saved.nodes()) {
    for (const auto& child : node.children()) {
      if (child.node_id() >= 0 && child.node_id() < saved.nodes_size()) continue;
      fail(Code::data_loss,
           "its object graph: the child '" + child.local_name().substr(0, 100) + "' is no node");
    }
  }
  for (const proto::SavedConcreteFunctionEntry& entry : saved.concrete_functions()) {
    for (const int id : entry.value().bound_inputs()) {
      if (id >= 0 && id < saved.nodes_size()) continue;
      fail(Code::data_loss, "its object graph: '" + entry.key().substr(0, 100) + "' uses no node");
    }
    concrete_.emplace(entry.key(), &entry.value());
  }
  if (saved.nodes_size() == 0) return;
  match_checkpoint(stored);
  find_functions();
}

const std::string& ObjectGraph::checkpoint_key(int id) const {
  return keys_[static_cast<std::size_t>(id)];
}

const proto::SavedConcreteFunction* ObjectGraph::concrete_function(const std::string& name) const {
  const auto found = concrete_.find(name);
  return found == concrete_.end() ? nullptr : found->second;
}

int ObjectGraph::child(int id, std::string_view name) const {
  return child_of(node(id), name, size());
}

// The two graphs number their nodes each in its own way; the names of children agree.
void ObjectGraph::match_checkpoint(const proto::TrackableObjectGraph& stored) {
  if (stored.nodes_size() == 0) return;
  std::vector<bool> seen(keys_.size());
  std::deque<std::pair<int, int>> waiting = {{0, 0}};
  seen[0] = true;
  while (!waiting.empty()) {
    const auto [here, there] = waiting.front();
    waiting.pop_front();
    keys_[static_cast<std::size_t>(here)] = key_of(stored.nodes(there));
    for (const auto& child : node(here).children()) {
      const int match = child_of(stored.nodes(there), child.local_name(), stored.nodes_size());
      const auto id = static_cast<std::size_t>(child.node_id());
      if (match < 0 || seen[id]) continue;
      seen[id] = true;
      waiting.emplace_back(child.node_id(), match);
    }
  }
}

void ObjectGraph::find_functions() {
  std::vector<bool> seen(keys_.size());
  std::deque<std::pair<int, std::string>> waiting = {{0, ""}};
  seen[0] = true;
  while (!waiting.empty()) {
    const auto [here, path] = waiting.front();
    waiting.pop_front();
    if (node(here).has_function()) functions_.emplace(path, here);
    for (const auto& child : node(here).children()) {
      const auto id = static_cast<std::size_t>(child.node_id());
      if (seen[id]) continue;
      seen[id] = true;
      const std::string& name = child.local_name();
      waiting.emplace_back(child.node_id(), path.empty() ? name : path + "." + name);
    }
  }
}

}  // namespace weir::io
