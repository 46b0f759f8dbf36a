// What the machinery costs where the arithmetic is nothing: one tiny op, one recorded op, one call
// of a traced function, one node of a graph.
#include <weir/weir.h>

#include <thread>

#include "harness.h"

namespace weir::bench {
namespace {

void add_eager_cases() {
  add_case({.name = "eager/add/4"},
           [] { return [a = Tensor::ones({4}), b = Tensor::ones({4})] { keep_alive(a + b); }; });
  add_case({.name = "eager/add_scalar/4"},
           [] { return [a = Tensor::ones({4})] { keep_alive(a + 1); }; });
  add_case({.name = "eager/matmul/4x4"}, [] {
    return [a = Tensor::ones({4, 4}), b = Tensor::ones({4, 4})] { keep_alive(matmul(a, b)); };
  });
  add_case({.name = "eager/broadcast/rank_4"}, [] {
    return [a = Tensor::ones({2, 1, 2, 1}), b = Tensor::ones({1, 2, 1, 2})] { keep_alive(a + b); };
  });
  add_case({.name = "eager/reduce_sum/4"},
           [] { return [a = Tensor::ones({4})] { keep_alive(sum(a)); }; });
  add_case({.name = "eager/read_variable"},
           [] { return [v = Variable(Tensor::ones({4}))] { keep_alive(v.value()); }; });
}

template <class F>
void add_recorded_case(const char* name, F op) {
  add_case({.name = name}, [op] {
    return [op, a = Tensor::ones({4}), b = Tensor::ones({4})] {
      GradientTape tape;
      tape.watch(a);
      keep_alive(tape.gradient(op(a, b), a));
    };
  });
}

/// `threads` threads call one traced function; one operation is one call.
void add_traced_case(int threads) {
  add_loop({.name = "traced/one_op/callers:" + std::to_string(threads),
            .threads = threads,
            .operations = threads},
           [threads]() -> Loop {
             auto f = function([](Tensor x) { return x + x; });
             auto calls = [f, x = Tensor::ones({4})](std::int64_t n) {
               for (std::int64_t i = 0; i < n; ++i)
                 keep_alive(f(x));
             };
             calls(1);
             return [calls, threads](std::int64_t n) {
               std::vector<std::jthread> others;
               for (int t = 1; t < threads; ++t)
                 others.emplace_back(calls, n);
               calls(n);
             };
           });
}

/// Every node depends on the one before it and on an input, so that nothing folds.
Tensor chain(Tensor x, const Tensor& y, int nodes) {
  for (int i = 0; i < nodes; ++i)
    x = x * y;
  return x;
}

void add_chain_case(const char* name, const FunctionOptions& options) {
  constexpr int kNodes = 1000;
  add_case({.name = name, .operations = kNodes}, [options] {
    auto f = function([](Tensor x, Tensor y) { return chain(x, y, kNodes); }, options);
    return [f, x = Tensor::ones({4}), y = Tensor::ones({4})] { keep_alive(f(x, y)); };
  });
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir;
  using namespace weir::bench;
  add_eager_cases();
  add_recorded_case("recorded/add/4", [](const Tensor& a, const Tensor& b) { return a + b; });
  add_recorded_case("recorded/mul/4", [](const Tensor& a, const Tensor& b) { return a * b; });
  add_traced_case(1);
  add_traced_case(2);
  add_chain_case("chain/fused", {});
  add_chain_case("chain/fusion_off", {.disabled_passes = {"fuse_elementwise"}});
  add_case({.name = "chain/eager", .operations = 1000}, [] {
    return [x = Tensor::ones({4}), y = Tensor::ones({4})] { keep_alive(chain(x, y, 1000)); };
  });
  return run_cases(argc, argv);
}
