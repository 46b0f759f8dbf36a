/// timeit: how long a piece of code takes, by the clock on the wall.
#pragma once

#include <chrono>

namespace weir::inline v0 {

/// Seconds that `number` calls of `body` take together, as Python's timeit.timeit.
template <class Body>
double timeit(Body&& body, int number = 1000) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < number; ++i)
    body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace weir::inline v0
