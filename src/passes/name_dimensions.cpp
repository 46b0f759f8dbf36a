#include "passes/passes.h"
#include "passes/rewrite.h"

namespace weir::passes {
namespace {

bool has_unknown(const Shape& shape) {
  for (Dim d : shape.dims()) {
    if (d == Dim::unknown()) return true;
  }
  return false;
}

/// A symbol is the same for the whole process, so its name holds that of the graph. Equal names in
/// two graphs do no harm: inlining infers all shapes anew.
Dim named(const Graph& g, const Node& input, int axis) {
  return Dim::symbol((g.name() + "/" + input.name + ":" + std::to_string(axis)).c_str());
}

}  // namespace

GraphPtr name_dimensions(const Graph& graph, Context& context) {
  Rewrite rewrite(graph, context);
  for (int i = 0; i < int(graph.size()); ++i) {
    const Node& n = graph.node(i);
    if (n.kind != Kind::input || !has_unknown(n.outputs[0].shape)) {
      rewrite.keep(i);
      continue;
    }
    Node input = n;
    Shape& shape = input.outputs[0].shape;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] != Dim::unknown()) continue;
      shape[axis] = named(graph, n, axis);
      context.count("named");
    }
    rewrite.replace(i, std::move(input));
  }
  return rewrite.finish();
}

}  // namespace weir::passes
