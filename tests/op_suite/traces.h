#pragma once

/// Cases as graphs.

#include <span>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "op_suite/cases.h"

namespace weir::op_suite {

/// What the trace knows of the inputs' shapes.
enum class Known { all, rank, nothing };

inline Shape known_shape(const Shape& shape, Known known) {
  if (known == Known::all) return shape;
  if (known == Known::nothing) return Shape::unknown_rank();
  return Shape(std::vector<std::int64_t>(std::size_t(shape.rank()), -1));
}

/// The graph of body(inputs), checked by the verifier.
template <class Body>
std::shared_ptr<graph::Graph> trace(std::span<const Tensor> values, Known known, Body body) {
  auto builder = graph::Builder::create("case");
  std::vector<Tensor> inputs;
  for (const Tensor& t : values)
    inputs.push_back(builder->input(
        {known_shape(t.shape(), known), t.dtype(), "x" + std::to_string(inputs.size())}));
  std::vector<Tensor> results;
  {
    dispatch::HandlerScope scope(*builder);
    results = body(inputs);
  }
  auto g = builder->finish(results);
  graph::verify(*g);
  return g;
}

template <class Body>
std::shared_ptr<graph::Graph> trace(const Case& c, Known known, Body body) {
  return trace(std::span<const Tensor>(c.inputs), known, body);
}

inline std::shared_ptr<graph::Graph> trace(const Case& c, Known known) {
  return trace(c, known, [&](const std::vector<Tensor>& inputs) { return c.call(inputs); });
}

/// Gradients of all results with respect to all inputs; those that are none are left out.
std::vector<Tensor> all_gradients(const Case& c, const std::vector<Tensor>& inputs);
bool any_differentiable(std::span<const Tensor> tensors);

}  // namespace weir::op_suite
