/// How replay runs the structural nodes with bodies: on the host where the values are there, as a
/// node of the new graph where they are symbolic.
#include "flow/runner.h"

#include "flow/branch.h"
#include "flow/loop.h"
#include "graph/replay.h"

namespace weir::inline v0::flow {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;

std::vector<Tensor> run_branch(const Node& n, std::span<const Tensor> inputs) {
  const Tensor& selector = inputs[0];
  const std::span<const Tensor> arguments = inputs.subspan(1);
  if (!selector.is_symbolic())
    return graph::replay(*n.bodies[taken_branch(n.kind, selector, n.bodies.size())], arguments);
  const auto one = [&](const Graph& g) {
    return [&](std::span<const Tensor>) { return Flat{graph::replay(g, arguments), {}}; };
  };
  std::vector<decltype(one(*n.bodies[0]))> callables;
  for (const auto& b : n.bodies)
    callables.push_back(one(*b));
  std::vector<Body> branches;
  for (auto& c : callables)
    branches.push_back(body_of(c));
  return branch_node(builder_for(inputs), n.kind, selector, branches, n.where).tensors;
}

/// Shape of state tensor `i` when the loop is built for new inputs: what the loop keeps from one
/// iteration to the next takes the new dimension, what varies stays unknown.
Shape loop_shape(const Node& n, std::size_t i, const Tensor& input) {
  const Graph& body = *n.bodies[1];
  const Shape& before = body.node(body.inputs[i]).outputs[0].shape;
  const Shape& after = body.spec(body.outputs[i]).shape;
  if (!before.has_rank() || !input.shape().has_rank()) return before;
  Shape shape = input.shape();
  for (int d = 0; d < before.rank(); ++d) {
    if (!before[d].known() && !before[d].same(after[d])) shape[d] = Dim::unknown();
  }
  return shape;
}

std::vector<Tensor> run_loop(const Node& n, std::span<const Tensor> inputs) {
  const auto condition = [&](std::span<const Tensor> s) {
    return Flat{graph::replay(*n.bodies[0], s), {}};
  };
  const auto body = [&](std::span<const Tensor> s) {
    return Flat{graph::replay(*n.bodies[1], s), {}};
  };
  WhileOptions options;
  options.name = n.name;
  const auto outer = builder_for(inputs);
  if (!outer)
    return while_eagerly(
        body_of(condition), body_of(body), {inputs.begin(), inputs.end()}, options, n.where);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    options.shape_invariants.push_back(loop_shape(n, i, inputs[i]));
  return while_node(outer,
                    body_of(condition),
                    body_of(body),
                    inputs,
                    options,
                    n.annotations.contains(kVaryingState),
                    n.where);
}

}  // namespace

void install_runner() {
  graph::set_structural_runner([](const Node& n, std::span<const Tensor> inputs) {
    return n.kind == Kind::while_ ? run_loop(n, inputs) : run_branch(n, inputs);
  });
}

}  // namespace weir::inline v0::flow
