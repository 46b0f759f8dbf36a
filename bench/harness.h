#pragma once

/// Benchmarks that mean something on a shared machine: see README.md in this folder.
///
///     int main(int argc, char** argv) {
///       using namespace weir::bench;
///       add_case({.name = "matmul/512", .flops = 2.0 * 512 * 512 * 512}, [] {
///         return [a = make(512), b = make(512)] { keep_alive(matmul(a, b)); };
///       });
///       return run_cases(argc, argv);
///     }

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {

/// What one call does. With `flops` the floor is flops / FMA peak; else, with `bytes`, bytes / read
/// bandwidth of a working set of that size; with neither only times are reported.
struct Case {
  std::string name = {};
  double flops = 0;
  double bytes = 0;
  /// Threads of the library's pool, and of the calibration.
  int threads = 1;
  /// Wall-clock time also with one thread: for what other processes do.
  bool wall = false;
  /// Operations that one call stands for: the time reported is that of one of them.
  std::int64_t operations = 1;
  /// Further figures of one call ("kernels", "bytes_allocated"), asked for after it has run.
  std::function<std::vector<std::pair<std::string, double>>()> figures = {};
};

/// Calls the function under test `calls` times.
using Loop = std::function<void(std::int64_t calls)>;

void add_loop(Case what, std::function<Loop()> make);

/// Adds a case. `make` prepares it, when it is first run, and returns the function to be timed.
template <class Make>
void add_case(Case what, Make make) {
  add_loop(std::move(what), [make]() -> Loop {
    return [run = make()](std::int64_t calls) mutable {
      for (std::int64_t i = 0; i < calls; ++i) {
        run();
      }
    };
  });
}

/// Tells the compiler that `value` is used.
template <class T>
void keep_alive(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

/// Runs the cases that were added, with Google Benchmark's options; the exit code.
int run_cases(int argc, char** argv);

}  // namespace weir::bench
