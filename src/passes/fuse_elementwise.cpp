#include "passes/passes.h"
#include "passes/regions.h"

namespace weir::passes {

GraphPtr fuse_elementwise(const Graph& graph, Context& context) {
  return fuse(graph, context, {.contraction_first = false});
}

}  // namespace weir::passes
