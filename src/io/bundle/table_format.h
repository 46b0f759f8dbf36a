#pragma once

#include <cstddef>
#include <string_view>

namespace weir::io::bundle {

// Behind each block: its compression, then the masked CRC of block and compression.
inline constexpr std::size_t kTrailerSize = 5;
inline constexpr char kUncompressed = 0;
inline constexpr char kSnappy = 1;

// At the end of the file: handles of two blocks, zeros, the magic number.
inline constexpr std::size_t kFooterSize = 48;
inline constexpr std::string_view kMagic = "\x57\xfb\x80\x8b\x24\x75\x47\xdb";

}  // namespace weir::io::bundle
