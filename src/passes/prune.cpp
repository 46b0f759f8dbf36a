#include "passes/passes.h"
#include "passes/rewrite.h"

namespace weir::passes {

GraphPtr prune(const Graph& graph, Context& context) {
  const std::vector<bool> needed = graph::needed_nodes(graph);
  Rewrite rewrite(graph, context);
  for (int i = 0; i < int(graph.size()); ++i) {
    if (needed[std::size_t(i)] || graph.node(i).kind == Kind::input) {
      rewrite.keep(i);
      continue;
    }
    rewrite.drop(i);
    context.count("unused");
    context.removed(graph.node(i), "is not used");
  }
  return rewrite.finish();
}

}  // namespace weir::passes
