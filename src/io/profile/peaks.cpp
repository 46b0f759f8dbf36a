#include "io/profile/peaks.h"

#include <algorithm>
#include <mutex>

#include "platform/calibration.h"

namespace weir::inline v0 {

double MachinePeaks::floor(double work, double bytes) const {
  if (flops <= 0 || read_bandwidth.empty()) return 0;
  const auto larger = std::find_if(read_bandwidth.begin(),
                                   read_bandwidth.end(),
                                   [&](const auto& entry) { return entry.first >= bytes; });
  const double rate =
      larger != read_bandwidth.end() ? larger->second : read_bandwidth.back().second;
  return std::max(work / flops, bytes / rate);
}

}  // namespace weir::inline v0

namespace weir::io {
namespace {

/// Of the caches of one core, of all, and of memory.
constexpr std::size_t kSizes[] = {24 << 10, 256 << 10, 2 << 20, 16 << 20, 64 << 20};
constexpr int kTries = 3;

}  // namespace

MachinePeaks measure_peaks(int threads) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  MachinePeaks peaks;
  for (int i = 0; i < kTries; ++i)
    peaks.flops = std::max(peaks.flops, platform::fma_peak(threads));
  for (const std::size_t size : kSizes) {
    double best = 0;
    for (int i = 0; i < kTries; ++i)
      best = std::max(best, platform::read_bandwidth(size, threads));
    peaks.read_bandwidth.emplace_back(double(size), best);
  }
  platform::release_calibration_memory();
  return peaks;
}

}  // namespace weir::io
