/// What a call of a traced function costs beside its kernels, and loops inside it.

#include <weir/control_flow.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>

#include <thread>

#include "harness.h"

namespace weir::bench {
namespace {

constexpr int kCalls = 1'000, kManyCalls = 50'000;
constexpr int kIterations = 1'000;

Tensor small() {
  return Tensor::full({4}, 0.5f);
}

auto one_op() {
  return function([](const Tensor& x) { return x + 1.f; });
}

template <class F>
void call_often(const F& f, int calls) {
  const Tensor x = small();
  for (int i = 0; i < calls; ++i)
    keep_alive(f(x));
}

/// Ops of an iteration, as a loop of a graph and as a chain.
template <int Ops>
Tensor body(Tensor y) {
  for (int i = 0; i < Ops; ++i)
    y = i % 2 ? y * 0.75f : y + 0.5f;
  return y;
}
template <int Ops>
auto loop() {
  return function([](const Tensor& x) {
    return for_range(
        0, kIterations, [](Tensor, Tensor y) { return body<Ops>(y); }, x);
  });
}
auto chain() {
  return function([](const Tensor& x) { return body<kIterations>(x); }, {.optimise = false});
}

void add_calls() {
  add_case({.name = "function/one_op", .operations = kCalls},
           [] { return [f = one_op()] { call_often(f, kCalls); }; });
  for (int threads : {1, 2}) {
    const std::string name = "function/one_op/threads:" + std::to_string(threads);
    Case c;
    c.name = name;
    c.threads = 2;
    c.operations = std::int64_t(threads) * kManyCalls;
    add_case(std::move(c), [=] {
      return [f = one_op(), threads] {
        std::vector<std::jthread> list;
        for (int t = 0; t < threads; ++t)
          list.emplace_back([&] { call_often(f, kManyCalls); });
      };
    });
  }
  const auto recorded = [](auto f) {
    return [f] {
      const Tensor x = small();
      for (int i = 0; i < kCalls; ++i) {
        GradientTape tape;
        tape.watch(x);
        keep_alive(tape.gradient(f(x), x));
      }
    };
  };
  const auto ten = [](const Tensor& x) { return body<10>(x); };
  add_case({.name = "function/ten_ops_gradient", .operations = kCalls},
           [=] { return recorded(function(ten)); });
  add_case({.name = "function/ten_ops_gradient_eager", .operations = kCalls},
           [=] { return recorded(ten); });
}

void add_loops() {
  const auto add = [](const char* name, auto make) {
    Case c;
    c.name = std::string("function/") + name;
    c.operations = kIterations;
    add_case(std::move(c), [=] { return [f = make()] { call_often(f, 1); }; });
  };
  add("loop/ops:1", loop<1>);
  add("loop/ops:4", loop<4>);
  add("loop/ops:16", loop<16>);
  add("chain/per_op", chain);
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  weir::bench::add_calls();
  weir::bench::add_loops();
  return weir::bench::run_cases(argc, argv);
}
