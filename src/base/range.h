#pragma once

/// How many numbers a range has. Freestanding: shapes are inferred with it, and kernels check with
/// it.

#include <cstdint>

namespace weir::base {

/// Numbers in start, start + delta ... before limit. The integers are bit patterns, read unsigned
/// if `is_unsigned`. Returns null, or what is wrong.
constexpr const char* range_count(std::int64_t start,
                                  std::int64_t limit,
                                  std::int64_t delta,
                                  bool is_unsigned,
                                  std::int64_t* count) {
  if (delta == 0) return "delta must not be 0";
  const bool up = is_unsigned || delta > 0;
  const auto first = static_cast<std::uint64_t>(start), last = static_cast<std::uint64_t>(limit);
  const bool away = is_unsigned ? first > last : up ? start > limit : start < limit;
  if (away)
    return up ? "delta is positive but start is above limit"
              : "delta is negative but start is below limit";
  const std::uint64_t distance = up ? last - first : first - last;
  const std::uint64_t step =
      up ? static_cast<std::uint64_t>(delta) : 0 - static_cast<std::uint64_t>(delta);
  const std::uint64_t n = distance / step + (distance % step != 0);
  if (n > static_cast<std::uint64_t>(INT64_MAX)) return "more than 2^63 elements";
  *count = static_cast<std::int64_t>(n);
  return nullptr;
}

constexpr const char* range_count(double start, double limit, double delta, std::int64_t* count) {
  if (delta == 0) return "delta must not be 0";
  if (delta > 0 && start > limit) return "delta is positive but start is above limit";
  if (delta < 0 && start < limit) return "delta is negative but start is below limit";
  const double n = (limit - start) / delta;
  if (!(n < 9223372036854774784.0)) return "more than 2^63 elements, or not a number";
  const auto whole = static_cast<std::int64_t>(n);
  *count = whole + (static_cast<double>(whole) < n);
  return nullptr;
}

}  // namespace weir::base
