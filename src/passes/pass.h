#pragma once

/// What a pass is: a function from a graph to a graph, in a file of its own, declared in passes.h.

#include "passes/pipeline.h"

namespace weir::passes {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;
using GraphPtr = std::shared_ptr<Graph>;

/// What a pass sees besides the graph: the options, and where it tells what it does.
class Context {
 public:
  Context(const char* pass,
          const Options& options,
          PassReport& report,
          std::vector<Change>* changes)
      : pass_(pass), options_(options), report_(report), changes_(changes) {}

  const char* pass() const { return pass_; }
  const Options& options() const { return options_; }
  bool enabled(std::string_view name) const;

  void count(const char* what, int n = 1) { report_.did[what] += n; }
  /// `node` has been made from the nodes named by its annotation "from".
  void made(const Node& node, const char* how);
  /// `node` is gone; `how` completes the sentence "x ...".
  void removed(const Node& node, std::string_view how, std::string_view by = {});

 private:
  const char* pass_;
  const Options& options_;
  PassReport& report_;
  std::vector<Change>* changes_;  // null: nobody asks
};

/// Returns the new graph, or null if there is nothing to do. Takes no body into account: the
/// pipeline applies every pass to the bodies of control flow first. May throw: the graph then stays
/// as it was.
using PassFn = GraphPtr (*)(const Graph& graph, Context& context);

}  // namespace weir::passes
