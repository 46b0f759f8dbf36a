#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

/// CRC-32C (Castagnoli polynomial, reflected) of `size` bytes. Pass the result for the bytes before
/// as `crc` to continue a checksum.
std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t crc = 0);

/// The same without the processor's help.
std::uint32_t crc32c_by_table(const void* data, std::size_t size, std::uint32_t crc = 0);

/// The form in which TFRecord and LevelDB files store a CRC, so that the checksum of data that
/// holds checksums stays meaningful.
constexpr std::uint32_t mask_crc32c(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

}  // namespace weir
