#pragma once

#include <cstdint>

/// Loops over the scalar functions, compiled with optimisation for each instruction set.
namespace weir::kernels {

struct TestLoop {
  const char* name;
  void (*run)(const float* x, float* y, int64_t n);
};

namespace baseline {
const TestLoop* test_loops();  // ends with a null name
}
namespace avx2 {
const TestLoop* test_loops();
}
namespace avx512 {
const TestLoop* test_loops();
}

}  // namespace weir::kernels
