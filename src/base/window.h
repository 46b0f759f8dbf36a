#pragma once

/// How a window slides along one axis of an image: the arithmetic of convolutions and pooling.

#include <cstdint>

namespace weir::base {

enum class Padding : std::uint8_t { valid, same, given };

struct Window {
  std::int64_t size = 1;  // cells of the filter
  std::int64_t stride = 1;
  std::int64_t dilation = 1;

  /// Cells from the first to the last that it reads.
  constexpr std::int64_t reach() const { return (size - 1) * dilation + 1; }
};

struct Extent {
  std::int64_t out = 0;     // positions of the window; negative: it does not fit
  std::int64_t before = 0;  // cells of padding in front
  std::int64_t after = 0;
};

/// `before` and `after` are read with Padding::given. With Padding::same an odd cell of padding
/// comes at the end.
[[gnu::always_inline]] constexpr Extent slide(std::int64_t in,
                                              const Window& w,
                                              Padding padding,
                                              std::int64_t before = 0,
                                              std::int64_t after = 0) {
  if (padding == Padding::same) {
    const std::int64_t out = (in + w.stride - 1) / w.stride;
    const std::int64_t missing = (out - 1) * w.stride + w.reach() - in;
    const std::int64_t total = out > 0 && missing > 0 ? missing : 0;
    return {out, total / 2, total - total / 2};
  }
  if (padding == Padding::valid) before = after = 0;
  const std::int64_t space = in + before + after - w.reach();
  return {space < 0 ? -1 : space / w.stride + 1, before, after};
}

/// Names as TensorFlow spells them: "VALID", "SAME", "EXPLICIT".
[[gnu::always_inline]] constexpr Padding padding_of(const char* name) {
  return name[0] == 'S' ? Padding::same : name[0] == 'V' ? Padding::valid : Padding::given;
}

}  // namespace weir::base
