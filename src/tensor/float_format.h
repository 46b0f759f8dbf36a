#pragma once

/// Decimal forms of floating-point numbers, as NumPy writes them.

#include <weir/dtype.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weir::tensor {

/// The fewest digits that name the number among those of its dtype: digits d1 d2 ... with value
/// 0.d1d2... * 10^exponent.
struct Decimal {
  std::string digits;  // "0" for zero
  int exponent = 0;
};
/// `value` is finite and not negative, an element of `dtype` widened to double.
Decimal shortest(double value, DType dtype);

/// One number, as str() of a NumPy scalar: "1.0", "1e-05", "nan". `trim`: without ".0", as in
/// complex numbers.
std::string scalar_text(double value, DType dtype, bool trim = false);

/// A common format for the numbers of an array.
class FloatFormat {
 public:
  /// `always_sign`: also '+', for imaginary parts.
  FloatFormat(const std::vector<double>& shown, DType dtype, bool always_sign = false);
  /// Padded on both sides, so that decimal points stand in one column.
  std::string operator()(double value) const;

 private:
  void size_positional(const std::vector<double>& finite);
  void size_scientific(const std::vector<double>& finite);
  std::string number(double value) const;

  DType dtype_;
  bool always_sign_;
  bool scientific_ = false;
  std::size_t left_ = 0;       // width up to the point, sign included
  std::size_t right_ = 0;      // width after the point
  std::size_t precision_ = 8;  // most digits after the point
  std::size_t exponent_digits_ = 2;
};

}  // namespace weir::tensor
