// Square matrix products, float32.
#include <weir/functions.h>
#include <weir/random.h>

#include "harness.h"

int main(int argc, char** argv) {
  using namespace weir;
  using namespace weir::bench;
  for (const int threads : {1, 2}) {
    for (const std::int64_t n : {64, 128, 256, 512, 1024, 2048, 4096}) {
      add_case({.name = "gemm/" + std::to_string(n) + "/threads:" + std::to_string(threads),
                .flops = 2.0 * double(n) * double(n) * double(n),
                .threads = threads},
               [n] {
                 return [a = random::normal({n, n}), b = random::normal({n, n})] {
                   keep_alive(matmul(a, b));
                 };
               });
    }
  }
  return run_cases(argc, argv);
}
