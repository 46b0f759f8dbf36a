/// The optimiser on large graphs: time per node of a graph in which every pass finds work.

#include <weir/functions.h>
#include <weir/operators.h>

#include <cstdio>

#include "graph/builder.h"
#include "harness.h"
#include "passes/pipeline.h"

namespace weir::bench {
namespace {

constexpr int kNodes = 50'000;

/// Layers of a network with what traces are full of: equal constants, unused nodes, ones to
/// multiply by.
std::shared_ptr<graph::Graph> network(int nodes) {
  auto b = graph::Builder::create("network");
  Tensor x = b->input({{-1, 16}, DType::float32, "x"});
  const Tensor weight = b->constant(Tensor::full({16, 16}, 0.1f));
  while (int(b->graph().size()) < nodes) {
    const Tensor y = matmul(x, weight) + b->constant(Tensor::ones({16}));
    const Tensor unused = y * y;
    const Tensor folded = b->constant(Tensor(2.f)) * b->constant(Tensor(3.f));
    x = (y * 1 - x) * folded + x * y;
  }
  return b->finish({{x}});
}

void report(const graph::Graph& g) {
  passes::Report r;
  passes::optimise(g, {}, &r);
  std::fputs(r.to_string().c_str(), stderr);
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const auto graph = network(kNodes);
  report(*graph);
  add_case({.name = "passes/optimise_per_node", .operations = kNodes},
           [&] { return [&graph] { keep_alive(weir::passes::optimise(*graph)); }; });
  add_case({.name = "passes/verify_per_node", .operations = kNodes},
           [&] { return [&graph] { weir::graph::verify(*graph); }; });
  return run_cases(argc, argv);
}
