#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weir::io {

/// A bucket [left, right) of a histogram; the last one includes its right edge.
struct Bucket {
  double left = 0;
  double right = 0;
  double count = 0;
};

inline constexpr int kHistogramBuckets = 30;

/// Buckets of equal width between the smallest and the largest value. As TensorFlow's histogram
/// summary: equal values give buckets of width 0 with all in the last one; no values give zeros.
/// Values that are not finite have no place on the axis and are not counted.
/// Instances exist for float and double.
template <class T>
std::vector<Bucket> make_histogram(std::span<const T> values);

}  // namespace weir::io
