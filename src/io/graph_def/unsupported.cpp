#include "io/graph_def/unsupported.h"

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dispatch/registry.h"
#include "io/file/file.h"
#include "io/graph_def/node_reader.h"

namespace weir::io {
namespace {

using Nodes = NodeReader::Nodes;

class Search {
 public:
  explicit Search(const proto::GraphDef& def) {
    for (const proto::FunctionDef& function : def.library().function())
      functions_.emplace(function.signature().name(), &function);
  }

  void look_through(const Nodes& nodes, std::vector<std::string_view> references);
  // The functions that were met, each once.
  void look_through_functions();
  std::map<std::string, int> take() { return std::move(missing_); }

 private:
  void look_at(const proto::NodeDef& node);
  void meet(const std::string& function);

  std::unordered_map<std::string_view, const proto::FunctionDef*> functions_;
  std::unordered_set<std::string_view> met_;
  std::vector<const proto::FunctionDef*> waiting_;
  std::map<std::string, int> missing_;
};

void Search::meet(const std::string& function) {
  const auto found = functions_.find(function);
  if (found == functions_.end() || !met_.insert(found->first).second) return;
  waiting_.push_back(found->second);
}

void Search::look_at(const proto::NodeDef& node) {
  const bool known = find_converter(node.op()) != nullptr || find_op(node.op()) != nullptr ||
                     functions_.contains(node.op());
  if (!known) ++missing_[node.op().substr(0, 100)];
  meet(node.op());
  for (const proto::AttrEntry& attr : node.attr()) {
    if (attr.value().has_func()) meet(attr.value().func().name());
    for (const proto::NameAttrList& function : attr.value().list().func())
      meet(function.name());
  }
}

std::string_view node_of(std::string_view reference) {
  if (reference.starts_with('^')) reference.remove_prefix(1);
  return reference.substr(0, reference.find(':'));
}

void Search::look_through(const Nodes& nodes, std::vector<std::string_view> references) {
  std::unordered_map<std::string_view, const proto::NodeDef*> by_name;
  for (const proto::NodeDef& node : nodes)
    by_name.emplace(node.name(), &node);
  while (!references.empty()) {
    const auto found = by_name.find(node_of(references.back()));
    references.pop_back();
    if (found == by_name.end()) continue;  // an argument, or damage that the reader reports
    look_at(*found->second);
    for (const std::string& input : found->second->input())
      references.push_back(input);
    by_name.erase(found);
  }
}

void Search::look_through_functions() {
  while (!waiting_.empty()) {
    const proto::FunctionDef& function = *waiting_.back();
    waiting_.pop_back();
    std::vector<std::string_view> references;
    for (const proto::NameEntry& entry : function.ret())
      references.push_back(entry.value());
    for (const proto::NameEntry& entry : function.control_ret())
      references.push_back(entry.value());
    look_through(function.node_def(), std::move(references));
  }
}

}  // namespace

std::map<std::string, int> unsupported_ops(const proto::GraphDef& def,
                                           std::span<const std::string> roots) {
  Search search(def);
  search.look_through(def.node(), {roots.begin(), roots.end()});
  search.look_through_functions();
  return search.take();
}

void check_supported(const proto::GraphDef& def, std::span<const std::string> roots) {
  std::string list;
  for (const auto& [op, count] : unsupported_ops(def, roots)) {
    list += (list.empty() ? "" : ", ") + op + (count > 1 ? " x " + std::to_string(count) : "");
  }
  if (!list.empty()) fail(Code::unimplemented, "unsupported ops: " + list);
}

}  // namespace weir::io
