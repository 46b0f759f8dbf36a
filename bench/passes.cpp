/// The way from code to a program on large graphs: time per node of a graph in which every pass
/// finds work, and of a long chain of ops that run in place.

#include <weir/functions.h>
#include <weir/operators.h>

#include <cstdio>

#include "graph/builder.h"
#include "harness.h"
#include "passes/pipeline.h"
#include "plan/executable.h"

namespace weir::bench {
namespace {

constexpr int kSmall = 4'000, kLarge = 50'000;

/// Layers of a network with what traces are full of: equal constants, unused nodes, ones to
/// multiply by.
std::shared_ptr<graph::Graph> network(int nodes) {
  auto b = graph::Builder::create("network");
  dispatch::HandlerScope scope(*b);
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

/// Element-wise ops, each over the memory of its operand.
std::shared_ptr<graph::Graph> chain(int nodes) {
  auto b = graph::Builder::create("chain");
  dispatch::HandlerScope scope(*b);
  Tensor x = b->input({{8, 16}, DType::float32, "x"});
  const Tensor step = b->constant(Tensor::full({16}, 0.5f));
  while (int(b->graph().size()) < nodes)
    x = x * step;
  return b->finish({{x}});
}

using Make = std::shared_ptr<graph::Graph> (*)(int);
const Spec kInput{DType::float32, {8, 16}};

std::shared_ptr<graph::Graph> specialised(const graph::Graph& g) {
  return plan::specialise(g, {&kInput, 1});
}
/// What the first call of a traced function does.
std::shared_ptr<const plan::Executable> all(Make make, int nodes) {
  return plan::plan(passes::optimise(*specialised(*make(nodes))));
}

void report(const graph::Graph& g) {
  passes::Report r;
  passes::optimise(g, {}, &r);
  std::fputs(r.to_string().c_str(), stderr);
}

void add_stages(const char* name, Make make, int nodes) {
  const std::string prefix = std::string(name) + "/" + std::to_string(nodes) + "/";
  const auto add = [&](const char* what, auto run) {
    Case c;
    c.name = prefix + what;
    c.operations = nodes;
    add_case(std::move(c), std::move(run));
  };
  add("trace", [=] { return [=] { keep_alive(make(nodes)); }; });
  add("specialise", [=] { return [g = make(nodes)] { keep_alive(specialised(*g)); }; });
  add("verify", [=] { return [g = make(nodes)] { graph::verify(*g); }; });
  add("optimise",
      [=] { return [g = specialised(*make(nodes))] { keep_alive(passes::optimise(*g)); }; });
  add("plan", [=] {
    return [g = passes::optimise(*specialised(*make(nodes)))] { keep_alive(plan::plan(g)); };
  });
  add("plan_unfused",
      [=] { return [g = specialised(*make(nodes))] { keep_alive(plan::plan(g)); }; });
  add("all", [=] { return [=] { keep_alive(all(make, nodes)); }; });
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  report(*specialised(*network(kLarge)));
  for (int nodes : {kSmall, kLarge}) {
    add_stages("network", network, nodes);
    add_stages("chain", chain, nodes);
  }
  return run_cases(argc, argv);
}
