#include "passes/passes.h"
#include "passes/rewrite.h"

namespace weir::passes {
namespace {

std::vector<bool> live_nodes(const Graph& g) {
  std::vector<bool> live(g.size());
  for (Ref r : g.outputs)
    live[std::size_t(r.node)] = true;
  for (int i = int(g.size()) - 1; i >= 0; --i) {
    const Node& n = g.node(i);
    if (!live[std::size_t(i)]) live[std::size_t(i)] = n.kind == Kind::input || must_stay(n);
    if (!live[std::size_t(i)]) continue;
    for (Ref r : n.inputs)
      live[std::size_t(r.node)] = true;
  }
  return live;
}

}  // namespace

GraphPtr prune(const Graph& graph, Context& context) {
  const std::vector<bool> live = live_nodes(graph);
  Rewrite rewrite(graph, context);
  for (int i = 0; i < int(graph.size()); ++i) {
    if (live[std::size_t(i)]) {
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
