#include "io/events/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace weir::io {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

template <class T>
Range finite_range(std::span<const T> values) {
  Range range;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  return range.low <= range.high ? range : Range{0, 0};
}

// The left edge of bucket i. Halved, so that nothing overflows for +-1e308.
double edge(const Range& range, int i) {
  if (i == kHistogramBuckets) return range.high;
  const double half_offset =
      (range.high / 2 - range.low / 2) * (static_cast<double>(i) / kHistogramBuckets);
  return range.low + half_offset + half_offset;
}

std::size_t bucket_of(double value, const Range& range) {
  const double half_span = range.high / 2 - range.low / 2;
  if (!(half_span > 0)) return kHistogramBuckets - 1;
  const double position = (value / 2 - range.low / 2) / half_span * kHistogramBuckets;
  return std::min<std::size_t>(static_cast<std::size_t>(position), kHistogramBuckets - 1);
}

}  // namespace

template <class T>
std::vector<Bucket> make_histogram(std::span<const T> values) {
  const Range range = finite_range(values);
  std::vector<Bucket> buckets(kHistogramBuckets);
  for (int i = 0; i < kHistogramBuckets; ++i) {
    buckets[static_cast<std::size_t>(i)] = {edge(range, i), edge(range, i + 1), 0};
  }
  for (const double value : values) {
    if (std::isfinite(value)) ++buckets[bucket_of(value, range)].count;
  }
  return buckets;
}

template std::vector<Bucket> make_histogram(std::span<const float> values);
template std::vector<Bucket> make_histogram(std::span<const double> values);

}  // namespace weir::io
