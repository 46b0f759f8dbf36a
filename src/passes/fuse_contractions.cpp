#include "passes/passes.h"
#include "passes/regions.h"

namespace weir::passes {

GraphPtr fuse_contractions(const Graph& graph, Context& context) {
  return fuse(graph, context, {.contraction_first = true});
}

}  // namespace weir::passes
