#pragma once

#include <weir/profiler.h>

namespace weir::io {

/// Measures this machine for some 20 ms. From one thread after the other.
MachinePeaks measure_peaks(int threads);

}  // namespace weir::io
