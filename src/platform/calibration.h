#pragma once

/// What this machine can do at this moment: measured next to every sample, because a rate measured
/// a minute ago says nothing about a shared machine. One calibration at a time.

#include <cstddef>
#include <cstdint>

namespace weir::platform {

/// How long one calibration runs, in seconds.
constexpr double kCalibrationSeconds = 1e-3;

/// Seconds: CPU time of this thread where `threads` is 1 (time taken away by others is left out),
/// wall-clock time else.
double now(int threads);

/// Float32 multiply-adds at the instruction set in use (platform::isa()), all `threads` together,
/// counted as two flops each. Flops per second.
double fma_peak(int threads);

/// Reading `bytes` bytes again and again, split between `threads` threads: the rate of the cache or
/// memory where a working set of that size lies. Bytes per second.
double read_bandwidth(std::size_t bytes, int threads);
/// Gives back the memory that read_bandwidth keeps for its next call.
void release_calibration_memory();

}  // namespace weir::platform
