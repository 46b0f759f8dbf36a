#pragma once

/// Conversion of single elements between the host's number types and any dtype.

#include <weir/operand.h>

namespace weir::tensor {

/// An element read as complex double and, for integers, exactly.
struct Number {
  bool integer = false;
  std::int64_t i = 0;  // uint64 keeps its bits
  double re = 0;
  double im = 0;
};
Number load(const void* element, DType dtype);
/// Converts as a cast does: truncation toward zero, no range check.
void store(void* element, DType dtype, const Number& value);

/// A scalar tensor of `dtype` from a host number. Throws if the number does not fit: 1.5 for an
/// integer, 300 for uint8, 1e300 for float32, a complex number for a real dtype.
Tensor adopt_scalar(const Scalar& scalar, DType dtype);

float half_to_float(std::uint16_t bits);
std::uint16_t float_to_half(float value);
inline float bfloat16_to_float(std::uint16_t bits) {
  return __builtin_bit_cast(float, std::uint32_t(bits) << 16);
}
std::uint16_t float_to_bfloat16(float value);

}  // namespace weir::tensor
