/// timeit: how long a piece of code takes, by the clock on the wall.
#pragma once

namespace weir::inline v0 {

/// The clock of timeit: seconds since some moment in the past; it never goes back.
double monotonic_seconds();

/// Seconds that `number` calls of `body` take together, as Python's timeit.timeit.
template <class Body>
double timeit(Body&& body, int number = 1000) {
  const double start = monotonic_seconds();
  for (int i = 0; i < number; ++i)
    body();
  return monotonic_seconds() - start;
}

}  // namespace weir::inline v0
