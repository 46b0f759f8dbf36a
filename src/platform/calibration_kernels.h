#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::platform {

/// The loops of a calibration, compiled once per instruction set.
struct CalibrationKernels {
  /// Does `rounds` rounds of independent multiply-adds; returns their sum, so that none is dropped.
  float (*multiply_add)(std::int64_t rounds);
  /// Flops of one round.
  double flops_per_round;
  /// Sums `bytes` bytes, a multiple of 256.
  std::uint64_t (*read)(const void* data, std::size_t bytes);
};

namespace baseline {
CalibrationKernels calibration_kernels();
}
namespace avx2 {
CalibrationKernels calibration_kernels();
}
namespace avx512 {
CalibrationKernels calibration_kernels();
}

}  // namespace weir::platform
