#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>

#include "graph/builder.h"
#include "io/graph_def/resources.h"
#include "io/proto/graph.pb.h"

namespace weir::io {

/// A function of a file as a graph, for arguments of certain kinds.
struct Body {
  std::shared_ptr<graph::Graph> graph;
  /// What it returns. The tensors among them, in order, are the results of the graph.
  Values results;
};

/// The functions of a file.
class Library {
 public:
  /// Both must outlive the library. Throws weir::Error if two functions have one name.
  Library(const proto::FunctionDefLibrary& library, Resources& resources);

  bool has(const std::string& name) const { return functions_.contains(name); }
  Resources& resources() const { return resources_; }

  /// The function as a graph whose inputs are the tensors in `arguments`, in order, of which only
  /// dtypes and shapes count. Read once for each list of kinds of arguments.
  const Body& body(const std::string& name, std::span<const Value> arguments);

  /// The function's nodes in the place of a call: in the graph that `builder` makes, or, if it is
  /// null, run at once.
  Values expand(const std::string& name, const Values& arguments, graph::Builder* builder);

 private:
  class Opened;
  const proto::FunctionDef& find(const std::string& name, std::size_t arguments) const;

  Resources& resources_;
  std::unordered_map<std::string_view, const proto::FunctionDef*> functions_;
  std::map<std::string, Body> bodies_;
  std::set<std::string> open_;
  std::int64_t expanded_nodes_ = 0;
};

/// The tensors that values consist of, in order: none for a variable.
std::vector<Tensor> tensors_of(std::span<const Value> values);
/// Values of the same kinds, made of other tensors.
Values with_tensors(std::span<const Value> values, std::span<const Tensor> tensors);
/// Whether two values consist of the same parts, whatever the shapes.
bool same_kind(const Value& a, const Value& b);

}  // namespace weir::io
