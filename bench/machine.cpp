// The machine's own figures, through the harness: x floor of the multiply-add loop and of the read
// loops is 1 where nothing disturbs, so this is also the check of the harness.

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "harness.h"
#include "platform/calibration.h"

int main(int argc, char** argv) {
  using namespace weir::bench;
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  for (const int threads : {1, std::max(cores, 1)}) {
    const std::string suffix = "/threads:" + std::to_string(threads);
    auto rate = std::make_shared<double>(0);
    add_case({.name = "fma" + suffix,
              .threads = threads,
              .figures =
                  [rate] {
                    return std::vector<std::pair<std::string, double>>{{"gflops", *rate / 1e9}};
                  }},
             [=] { return [=] { *rate = std::max(*rate, weir::platform::fma_peak(threads)); }; });
    for (const std::size_t kib : {16, 256, 1024, 8192, 262144}) {
      auto best = std::make_shared<double>(0);
      add_case({.name = "read/" + std::to_string(kib) + "KiB" + suffix,
                .threads = threads,
                .figures =
                    [best] {
                      return std::vector<std::pair<std::string, double>>{{"gbytes_s", *best / 1e9}};
                    }},
               [=] {
                 return [=] {
                   *best = std::max(*best, weir::platform::read_bandwidth(kib << 10, threads));
                 };
               });
    }
  }
  return run_cases(argc, argv);
}
