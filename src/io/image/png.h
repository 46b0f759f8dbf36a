#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace weir::io {

/// Encodes 8-bit pixels, row-major [height, width, channels], as a PNG. Channels: 1 grey, 2 grey
/// and alpha, 3 RGB, 4 RGBA. Returns "" when the sizes do not fit each other or PNG.
std::string encode_png(std::span<const std::uint8_t> pixels,
                       std::int64_t height,
                       std::int64_t width,
                       std::int64_t channels);

}  // namespace weir::io
