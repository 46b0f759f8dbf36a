#include "io/checkpoint/object_graph.h"

#include <algorithm>
#include <deque>
#include <set>
#include <unordered_map>

#include "base/utf8.h"
#include "io/file/file.h"
#include "tensor/variable_state.h"

namespace weir::io::checkpoint {
namespace {

// '.' and '/' have meanings in a key.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name)
    text += c == '.' ? ".." : c == '/' ? ".S" : std::string(1, c);
  return text;
}

std::string key_of(const std::string& path) {
  return path + "/.ATTRIBUTES/" + std::string(kValue);
}

class Collector {
 public:
  ObjectGraph run(const Trackable& root) {
    node_of(root, "");
    while (!queue_.empty()) {
      const Item item = queue_.front();
      queue_.pop_front();
      describe(item);
    }
    return std::move(graph_);
  }

 private:
  struct Item {
    Trackable object;  // kept, so that no other one gets its identity
    int node;
    std::string path;
  };

  int node_of(const Trackable& object, const std::string& path) {
    const auto [it, added] =
        nodes_.try_emplace(object.object()->identity(), graph_.proto.nodes_size());
    if (added) {
      graph_.proto.add_nodes();
      queue_.push_back({object, it->second, path});
      kept_.push_back(object);
    }
    return it->second;
  }

  void describe(const Item& item) {
    const TrackableObject& object = *item.object.object();
    if (const Variable variable = object.variable(); variable.defined()) {
      auto& attribute = *graph_.proto.mutable_nodes(item.node)->add_attributes();
      const std::string key = key_of(item.path);
      attribute.set_name(std::string(kValue));
      if (is_utf8(variable.name())) attribute.set_full_name(variable.name());
      attribute.set_checkpoint_key(key);
      graph_.variables.push_back({key, variable});
    }
    for (const auto& [name, child] : object.children()) {
      if (name.empty() || !is_utf8(name)) {
        fail(Code::invalid_argument, "checkpoint: an object's name is empty or not UTF-8");
      }
      const std::string path = item.path.empty() ? escaped(name) : item.path + "/" + escaped(name);
      const int node = node_of(child, path);
      auto& reference = *graph_.proto.mutable_nodes(item.node)->add_children();
      reference.set_node_id(node);
      reference.set_local_name(name);
    }
  }

  ObjectGraph graph_;
  std::deque<Item> queue_;
  std::vector<Trackable> kept_;
  std::unordered_map<const void*, int> nodes_;
};

class Matcher {
 public:
  Matcher(const proto::TrackableObjectGraph& saved, const std::string& what)
      : saved_(saved), what_(what) {
    for (const auto& node : saved.nodes()) {
      for (const auto& child : node.children()) {
        if (child.node_id() < 0 || child.node_id() >= saved.nodes_size()) {
          fail(Code::data_loss, what + ": its object graph refers to a node that does not exist");
        }
      }
    }
  }

  Match run(const Trackable& root) {
    if (saved_.nodes_size() > 0) {
      walk(root);
      if (build_all()) walk(root);
    }
    return result(root);
  }

 private:
  using Pair = std::pair<const void*, int>;

  void walk(const Trackable& root) {
    seen_.clear();
    std::deque<std::pair<Trackable, int>> queue;
    visit(root, 0, &queue);
    while (!queue.empty()) {
      const auto [object, node] = queue.front();
      queue.pop_front();
      const auto names = children_of(node);
      for (const auto& [name, child] : object.object()->children()) {
        const auto it = names.find(name);
        if (it != names.end()) visit(child, it->second, &queue);
      }
    }
  }

  std::unordered_map<std::string_view, int> children_of(int node) const {
    std::unordered_map<std::string_view, int> names;
    for (const auto& child : saved_.nodes(node).children())
      names.try_emplace(child.local_name(), child.node_id());
    return names;
  }

  void visit(const Trackable& object, int node, std::deque<std::pair<Trackable, int>>* queue) {
    if (!seen_.insert({object.object()->identity(), node}).second) return;
    kept_.push_back(object);
    queue->push_back({object, node});
    const Variable variable = object.object()->variable();
    if (!variable.defined()) {
      if (!object.object()->made_from().empty()) makers_.emplace_back(object, node);
      return;
    }
    for (const auto& attribute : saved_.nodes(node).attributes()) {
      if (attribute.name() != kValue) continue;
      if (!keys_.try_emplace(variable.state().get(), attribute.checkpoint_key()).second) continue;
      matched_.push_back({attribute.checkpoint_key(), variable});
      by_node_.try_emplace(node, variable);
    }
  }

  // The variables that a saved list names, if all of them are known by now.
  std::vector<Variable> listed(int node) const {
    std::vector<Variable> variables(static_cast<std::size_t>(saved_.nodes(node).children_size()));
    for (const auto& child : saved_.nodes(node).children()) {
      const auto it = by_node_.find(child.node_id());
      const std::string& name = child.local_name();
      const std::size_t index = name.size() < 8 && !name.empty() &&
                                        name.find_first_not_of("0123456789") == std::string::npos
                                    ? std::stoul(name)
                                    : variables.size();
      if (it == by_node_.end() || index >= variables.size()) return {};
      variables[index] = it->second;
    }
    const bool complete = std::all_of(
        variables.begin(), variables.end(), [](const Variable& v) { return v.defined(); });
    return complete ? variables : std::vector<Variable>{};
  }

  bool build_all() {
    const auto makers = std::move(makers_);
    bool built = false;
    for (const auto& [object, node] : makers) {
      for (const auto& child : saved_.nodes(node).children()) {
        if (child.local_name() != object.object()->made_from()) continue;
        const std::vector<Variable> variables = listed(child.node_id());
        if (variables.empty()) continue;
        object.object()->build(variables);
        built = true;
      }
    }
    return built;
  }

  Match result(const Trackable& root) {
    Match match;
    std::set<std::string> taken;
    for (const NamedVariable& matched : matched_)
      taken.insert(matched.key);
    for (const auto& node : saved_.nodes()) {
      for (const auto& attribute : node.attributes()) {
        if (taken.insert(attribute.checkpoint_key()).second)
          match.unused.push_back(attribute.checkpoint_key());
      }
    }
    for (const NamedVariable& own : collect(root).variables) {
      if (!keys_.contains(own.variable.state().get())) match.missing.push_back(own.key);
    }
    match.variables = std::move(matched_);
    return match;
  }

  const proto::TrackableObjectGraph& saved_;
  const std::string& what_;
  std::set<Pair> seen_;
  std::vector<Trackable> kept_;  // so that no identity is used again
  std::vector<std::pair<Trackable, int>> makers_;
  std::unordered_map<const VariableState*, std::string> keys_;
  std::unordered_map<int, Variable> by_node_;
  std::vector<NamedVariable> matched_;
};

}  // namespace

ObjectGraph collect(const Trackable& root) {
  return Collector().run(root);
}

Match match(const Trackable& root,
            const proto::TrackableObjectGraph& saved,
            const std::string& what) {
  return Matcher(saved, what).run(root);
}

Match match_names(const Trackable& root, const std::vector<std::string>& names) {
  Match match;
  std::set<std::string> unused(names.begin(), names.end());
  const std::set<std::string> all = unused;
  for (const NamedVariable& own : collect(root).variables) {
    const std::string& name = own.variable.name();
    if (all.contains(name)) {
      match.variables.push_back({name, own.variable});
      unused.erase(name);
    } else {
      match.missing.push_back(own.key);
    }
  }
  match.unused.assign(unused.begin(), unused.end());
  return match;
}

}  // namespace weir::io::checkpoint
