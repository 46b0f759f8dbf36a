#include <algorithm>
#include <limits>
#include <unordered_map>

#include "dispatch/cost.h"
#include "passes/report.h"

namespace weir::passes {
namespace {

using graph::Graph;
using graph::Kind;
using graph::Node;
using graph::Ref;

double bytes(const Spec& s) {
  return dispatch::bytes(s.dtype, s.shape);
}

Cost cost(const Graph& g, const Node& n) {
  base::SmallVector<SpecView, 4> inputs;
  for (Ref r : n.inputs)
    inputs.push_back({g.spec(r).dtype, g.spec(r).shape});
  return dispatch::cost(*n.op, inputs, n.outputs, n.attrs.view());
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
