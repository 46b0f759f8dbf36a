#include <algorithm>

#include "passes/attributes.h"
#include "passes/evaluate.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "tensor/specs.h"

namespace weir::passes {
namespace {

bool known(const Graph& g, const Node& n, std::int64_t limit) {
  if (n.kind != Kind::op || !n.is(Trait::shape_only) || n.is(Trait::host_effect)) return false;
  const auto ready = [&](Ref r) {
    return g.spec(r).shape.is_static() && g.spec(r).dtype != DType::string;
  };
  const std::int64_t bytes = output_bytes(n);
  return std::all_of(n.inputs.begin(), n.inputs.end(), ready) && bytes >= 0 && bytes <= limit &&
         !has_operand_attr(n);
}

std::vector<Tensor> values_of(const Graph& g, const Node& n) {
  std::vector<Tensor> inputs;
  for (Ref r : n.inputs)
    inputs.push_back(tensor::without_elements(g.spec(r).dtype, g.spec(r).shape));
  return evaluate(n, inputs);
}

}  // namespace

GraphPtr materialise_shapes(const Graph& graph, Context& context) {
  Rewrite rewrite(graph, context);
  for (int i = 0; i < int(graph.size()); ++i) {
    const Node& old = graph.node(i);
    if (old.kind != Kind::op || !old.is(Trait::shape_only)) {
      rewrite.keep(i);
      continue;
    }
    const Node n = rewrite.copy(i);
    if (!known(rewrite.graph(), n, context.options().fold_limit)) {
      rewrite.keep(i);
      continue;
    }
    const Node* from[] = {&old};
    std::vector<Ref> by;
    for (Tensor& v : values_of(rewrite.graph(), n)) {
      Node c = make_constant(std::move(v), old);
      annotate(c, context.pass(), from);
      context.made(c, "is known from shapes");
      by.push_back(rewrite.add(std::move(c)));
    }
    rewrite.replace(i, by);
    context.count("shapes");
  }
  return rewrite.finish();
}

}  // namespace weir::passes
