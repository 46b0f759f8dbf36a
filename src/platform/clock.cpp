#include <weir/timeit.h>

#include <chrono>

namespace weir::inline v0 {

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace weir::inline v0
