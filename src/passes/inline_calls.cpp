#include "passes/passes.h"
#include "passes/rewrite.h"

namespace weir::passes {
namespace {

/// Calls stay where inlining would make a graph larger than this: a program of that size takes
/// seconds to plan.
constexpr std::size_t kMaxInlinedNodes = 200'000;

}  // namespace

GraphPtr inline_calls(const Graph& graph, Context& context) {
  Rewrite rewrite(graph, context);
  for (int i = 0; i < int(graph.size()); ++i) {
    const Node& n = graph.node(i);
    const bool fits =
        n.kind == Kind::call && rewrite.graph().size() + n.bodies[0]->size() <= kMaxInlinedNodes;
    if (!fits) {
      rewrite.keep(i);
      continue;
    }
    const Node call = rewrite.copy(i);
    rewrite.replace(i, splice(rewrite, *call.bodies[0], call.inputs, call));
    context.count("calls");
    context.removed(n, "is a call of a graph whose nodes have taken its place");
  }
  return rewrite.finish();
}

}  // namespace weir::passes
