#pragma once

/// The meaning of a strided slice (begin, end, strides and five masks, as TensorFlow's StridedSlice
/// has them), used where shapes are inferred and where elements are copied. Freestanding. Source:
/// NumPy, "Basic slicing and indexing".

#include <cstdint>

namespace weir::base {

struct StridedSlice {
  const std::int64_t* begin = nullptr;
  const std::int64_t* end = nullptr;
  const std::int64_t* strides = nullptr;
  int count = 0;  // entries of the three lists
  std::int64_t begin_mask = 0;
  std::int64_t end_mask = 0;
  std::int64_t ellipsis_mask = 0;
  std::int64_t new_axis_mask = 0;
  std::int64_t shrink_axis_mask = 0;
};

/// Elements start, start + step ... of an axis.
struct SliceRange {
  std::int64_t start = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
};

constexpr bool mask_bit(std::int64_t mask, int i) {
  return i < 63 && ((mask >> i) & 1) != 0;
}

enum class SliceItem : std::uint8_t {
  new_axis,  // an axis of length 1 of the result
  whole,     // an axis taken as it is
  range,     // part of an axis
  index,     // one element; the axis goes away
};

/// Calls visit(item, axis of the operand, entry) in the order of the axes; -1 where there is none.
/// Returns null, or what is wrong; nothing has been visited then.
template <class Visit>
constexpr const char* walk(const StridedSlice& s, int rank, Visit&& visit) {
  int used = 0;
  bool ellipsis = false;
  for (int i = 0; i < s.count; ++i) {
    const bool here = mask_bit(s.ellipsis_mask, i);
    if (here && ellipsis) return "more than one ellipsis";
    ellipsis = ellipsis || here;
    used += !here && !mask_bit(s.new_axis_mask, i);
  }
  if (used > rank) return "more indices than axes";
  int axis = 0;
  for (int i = 0; i < s.count; ++i) {
    if (mask_bit(s.ellipsis_mask, i)) {
      for (int k = rank - used; k > 0; --k)
        visit(SliceItem::whole, axis++, i);
    } else if (mask_bit(s.new_axis_mask, i)) {
      visit(SliceItem::new_axis, -1, i);
    } else {
      visit(mask_bit(s.shrink_axis_mask, i) ? SliceItem::index : SliceItem::range, axis++, i);
    }
  }
  while (axis < rank)
    visit(SliceItem::whole, axis++, -1);
  return nullptr;
}

/// The elements that a range entry selects of an axis of `dim` elements. Bounds beyond the ends are
/// clamped.
constexpr const char* resolve_range(const StridedSlice& s,
                                    int i,
                                    std::int64_t dim,
                                    SliceRange* range) {
  const std::int64_t step = s.strides[i];
  if (step == 0) return "a step of 0";
  const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? dim : dim - 1;
  const auto clamp = [&](std::int64_t v) {
    v = v < 0 ? v + dim : v;
    return v < low ? low : v > high ? high : v;
  };
  const std::int64_t begin =
      mask_bit(s.begin_mask, i) ? (step > 0 ? low : high) : clamp(s.begin[i]);
  const std::int64_t end = mask_bit(s.end_mask, i) ? (step > 0 ? high : low) : clamp(s.end[i]);
  const std::int64_t distance = step > 0 ? end - begin : begin - end;
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  *range = {begin, 0, step};
  if (distance > 0)
    range->count =
        static_cast<std::int64_t>((static_cast<std::uint64_t>(distance) - 1) / stride) + 1;
  return nullptr;
}

/// The element that an index entry selects. Negative indices count from the end.
constexpr const char* resolve_index(const StridedSlice& s,
                                    int i,
                                    std::int64_t dim,
                                    SliceRange* range) {
  if (s.strides[i] <= 0) return "a step that is not positive with a single index";
  const std::int64_t at = s.begin[i] < 0 ? s.begin[i] + dim : s.begin[i];
  if (at < 0 || at >= dim) return "index out of range";
  *range = {at, 1, 1};
  return nullptr;
}

}  // namespace weir::base
