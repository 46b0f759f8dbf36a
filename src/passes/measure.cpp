#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "passes/report.h"

namespace weir::passes {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

double size(const Shape& shape) {
  double n = 1;
  for (Dim d : shape.dims())
    n *= d.known() ? double(d.value()) : 1;
  return n;
}

double bytes(const Spec& s) {
  return size(s.shape) * double(byte_size(s.dtype));
}

/// Elements of one matrix of a batch.
double matrix(const Shape& shape) {
  double n = 1;
  for (int i = std::max(0, shape.rank() - 2); i < shape.rank(); ++i)
    n *= shape[i].known() ? double(shape[i].value()) : 1;
  return n;
}

/// 2 m n k for each matrix of the batch: (mk * kn * mn)^1/2 = mnk, whichever operand is transposed.
double contraction_flops(const Graph& g, const Node& n) {
  const Shape& out = n.outputs[0].shape;
  const double mnk = std::sqrt(matrix(g.spec(n.inputs[0]).shape) *
                               matrix(g.spec(n.inputs[1]).shape) * matrix(out));
  return matrix(out) > 0 ? 2 * mnk * size(out) / matrix(out) : 0;
}

Cost cost(const Graph& g, const Node& n) {
  Cost c;
  for (Ref r : n.inputs)
    c.bytes += bytes(g.spec(r));
  for (const Spec& s : n.outputs)
    c.bytes += bytes(s);
  if (n.is(Trait::view) || n.is(Trait::shape_only)) return {};
  if (n.op->cost_fn()) {
    base::SmallVector<SpecView, 4> inputs;
    for (Ref r : n.inputs)
      inputs.push_back({g.spec(r).dtype, g.spec(r).shape});
    c.flops = n.op->cost_fn()(inputs, n.outputs, n.attrs.view()).flops;
  } else if (n.is(Trait::contraction) && n.inputs.size() >= 2) {
    c.flops = contraction_flops(g, n);
  } else if (n.is(Trait::reduction) && !n.inputs.empty()) {
    c.flops = size(g.spec(n.inputs[0]).shape);
  } else if (n.is(Trait::elementwise)) {
    c.flops = size(n.outputs[0].shape);
  }
  return c;
}

/// By graph, so that a body is measured once, however often it is used.
using Memo = std::unordered_map<const Graph*, Totals>;

Totals measure(const Graph& graph, Memo& memo);

/// The number of nodes stays at the largest that can be said.
void add(Totals& t, const Totals& o) {
  t.nodes += std::min(o.nodes, std::numeric_limits<int>::max() - t.nodes);
  t.flops += o.flops;
  t.bytes += o.bytes;
  t.constants += o.constants;
}

Totals measure_body(const Graph& body, Memo& memo) {
  const auto known = memo.find(&body);
  if (known != memo.end()) return known->second;
  return memo[&body] = measure(body, memo);
}

Totals measure_region(const Graph& g, const Node& n, Memo& memo) {
  Totals t = measure_body(*n.bodies[0], memo);
  t.nodes = 0;
  t.bytes = 0;
  for (Ref r : n.inputs)
    t.bytes += bytes(g.spec(r));
  for (const Spec& s : n.outputs)
    t.bytes += bytes(s);
  return t;
}

Totals measure(const Graph& graph, Memo& memo) {
  Totals t;
  for (const Node& n : graph.nodes()) {
    add(t, {.nodes = 1});
    if (n.kind == Kind::op) {
      const Cost c = cost(graph, n);
      t.flops += c.flops;
      t.bytes += c.bytes;
    } else if (n.kind == Kind::constant) {
      t.constants += bytes(n.outputs[0]);
    } else if (n.kind == Kind::region) {
      add(t, measure_region(graph, n, memo));
    } else {
      for (const auto& body : n.bodies)
        add(t, measure_body(*body, memo));
    }
  }
  return t;
}

}  // namespace

Totals measure(const Graph& graph) {
  Memo memo;
  return measure(graph, memo);
}

}  // namespace weir::passes
