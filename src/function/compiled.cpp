#include "function/compiled.h"

#include "graph/builder.h"
#include "graph/replay.h"

namespace weir::tracing {

Compiled::Compiled(const graph::Graph& traced, std::span<const Spec> inputs, const FunctionOptions&) {
  auto builder = graph::Builder::create(traced.name());
  std::vector<Tensor> arguments;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    arguments.push_back(builder->input({inputs[i].shape, inputs[i].dtype, traced.node(traced.inputs[i]).name}));
  dispatch::HandlerScope scope(*builder);
  optimised_ = builder->finish(graph::replay(traced, arguments));
}

std::vector<Tensor> Compiled::run(std::span<const Tensor> inputs) const {
  return graph::replay(*optimised_, inputs);
}

}  // namespace weir::tracing
