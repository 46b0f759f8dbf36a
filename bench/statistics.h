#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace weir::bench {

/// The median of the lowest quartile: the figure that is reported. Noise only adds time, so low
/// samples are the better ones; the minimum alone would reward one lucky calibration. 0 for none.
inline double low_quartile_median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const std::size_t quartile = std::max<std::size_t>(samples.size() / 4, 1);
  return (samples[(quartile - 1) / 2] + samples[quartile / 2]) / 2;
}

}  // namespace weir::bench
