#pragma once

#include <weir/tensor.h>

#include <string>
#include <string_view>

namespace weir::io::bundle {

// The stored form of string tensors: all lengths, a checksum of them, all bytes.

/// Appends the stored form and returns the entry's checksum, unmasked.
std::uint32_t format_strings(const Tensor& tensor, std::string* out);

/// Error: the reason in words; the tensor is undefined then.
std::string parse_strings(std::string_view stored,
                          const Shape& shape,
                          std::int64_t count,
                          std::uint32_t masked_crc,
                          Tensor* out);

}  // namespace weir::io::bundle
