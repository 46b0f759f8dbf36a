// What a tape costs: a recorded op and its gradient, tape construction included.
#include <weir/gradient_tape.h>
#include <weir/operators.h>

#include "harness.h"

int main(int argc, char** argv) {
  using namespace weir;
  using namespace weir::bench;
  for (const std::int64_t n : {std::int64_t{1}, std::int64_t{100}}) {
    const std::string size = "/" + std::to_string(n);
    add_case({.name = "add/eager" + size},
             [n] { return [a = Tensor::ones({n}), b = Tensor::ones({n})] { keep_alive(a + b); }; });
    add_case({.name = "add/tape_and_gradient" + size}, [n] {
      return [a = Tensor::ones({n}), b = Tensor::ones({n})] {
        GradientTape tape;
        tape.watch(a);
        keep_alive(tape.gradient(a + b, a));
      };
    });
    add_case({.name = "add/recorded" + size, .operations = 1000}, [n] {
      return [a = Tensor::ones({n}), b = Tensor::ones({n})] {
        GradientTape tape;
        tape.watch(a);
        for (int i = 0; i < 1000; ++i)
          keep_alive(a + b);
      };
    });
  }
  add_case({.name = "chain/record_and_gradient", .operations = 10000}, [] {
    return [x = Tensor(1.f)] {
      GradientTape tape;
      tape.watch(x);
      Tensor y = x;
      for (int i = 0; i < 10000; ++i)
        y = y + x;
      keep_alive(tape.gradient(y, x));
    };
  });
  return run_cases(argc, argv);
}
