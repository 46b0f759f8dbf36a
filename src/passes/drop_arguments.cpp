#include <algorithm>
#include <unordered_map>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace weir::passes {
namespace {

/// By argument: whether the body reads it.
std::vector<bool> read_arguments(const Graph& body) {
  std::vector<bool> read(body.size());
  for (const Node& n : body.nodes()) {
    for (Ref r : n.inputs)
      read[std::size_t(r.node)] = true;
  }
  for (Ref r : body.outputs)
    read[std::size_t(r.node)] = true;
  std::vector<bool> arguments;
  for (int i : body.inputs)
    arguments.push_back(read[std::size_t(i)]);
  return arguments;
}

/// By argument: whether any branch reads it.
std::vector<bool> read_by_any(const Node& n) {
  std::vector<bool> any(n.inputs.size() - 1);
  for (const GraphPtr& body : n.bodies) {
    const std::vector<bool> read = read_arguments(*body);
    for (std::size_t a = 0; a < any.size(); ++a)
      any[a] = any[a] || read[a];
  }
  return any;
}

GraphPtr without_arguments(const Graph& body, const std::vector<bool>& kept, Context& context) {
  Rewrite rewrite(body, context);
  std::size_t next = 0;
  for (int i = 0; i < int(body.size()); ++i) {
    if (body.node(i).kind == Kind::input && !kept[next++]) {
      rewrite.drop(i);
    } else {
      rewrite.keep(i);
    }
  }
  return rewrite.finish();
}

bool is_branch(const Node& n) {
  return n.kind == Kind::if_ || n.kind == Kind::case_;
}

}  // namespace

GraphPtr drop_arguments(const Graph& graph, Context& context) {
  Rewrite rewrite(graph, context);
  for (int i = 0; i < int(graph.size()); ++i) {
    const Node& n = graph.node(i);
    const std::vector<bool> kept = is_branch(n) ? read_by_any(n) : std::vector<bool>();
    if (std::find(kept.begin(), kept.end(), false) == kept.end()) {
      rewrite.keep(i);
      continue;
    }
    Node branch = rewrite.copy(i);
    base::SmallVector<Ref, 3> inputs = {branch.inputs[0]};
    for (std::size_t a = 0; a < kept.size(); ++a) {
      if (kept[a]) inputs.push_back(branch.inputs[a + 1]);
    }
    branch.inputs = std::move(inputs);
    std::unordered_map<const Graph*, GraphPtr> made;  // a graph can be more than one branch
    for (GraphPtr& body : branch.bodies) {
      GraphPtr& shorter = made[body.get()];
      if (!shorter) shorter = without_arguments(*body, kept, context);
      body = shorter;
    }
    context.count("arguments", int(std::count(kept.begin(), kept.end(), false)));
    rewrite.replace(i, std::move(branch));
  }
  return rewrite.finish();
}

}  // namespace weir::passes
