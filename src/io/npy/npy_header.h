#pragma once

#include <weir/error.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::io {

/// What the header of a .npy file says.
struct NpyHeader {
  char kind = 'f';             ///< NumPy's: b bool, i u f c numbers, S bytes, U UTF-32, V opaque
  std::int64_t item_size = 0;  ///< bytes of one element
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::int64_t count = 0;       ///< elements
  std::size_t data_offset = 0;  ///< where the elements begin in the file
};

/// Parses and checks a header; `name` is what errors call the file. The product of the shape, and
/// that times the element size, are known to fit 63 bits. Throws weir::Error.
NpyHeader parse_npy_header(std::string_view file, const std::string& name);

/// A version 1 header (2 for very long ones) for row-major data, as NumPy writes it.
std::string format_npy_header(std::string_view descr, const std::vector<std::int64_t>& shape);

[[noreturn]] void throw_npy_error(Code code, const std::string& name, const std::string& what);

}  // namespace weir::io
