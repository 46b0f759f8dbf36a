#include "tensor/float_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "tensor/convert.h"

namespace weir::tensor {
namespace {

Decimal parse(std::string_view scientific) {
  const std::size_t e = scientific.find('e');
  Decimal d;
  for (char c : scientific.substr(0, e)) {
    if (c != '.') d.digits += c;
  }
  while (d.digits.size() > 1 && d.digits.back() == '0')
    d.digits.pop_back();
  const bool zero = d.digits == "0";
  d.exponent = zero ? 1 : 1 + std::atoi(std::string(scientific.substr(e + 1)).c_str());
  return d;
}

template <class T>
std::string scientific(T value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr};
}

std::string scientific(double value, int precision) {
  char text[64];
  return {
      text,
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, precision).ptr};
}

std::string fixed(double value, int precision) {
  char text[400];
  return {text,
          std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, precision).ptr};
}

/// For the dtypes that the standard library does not know: the first correctly rounded form that
/// reads back.
std::string shortest_half(double value, std::uint16_t (*round)(float)) {
  const std::uint16_t bits = round(float(value));
  for (int precision = 0;; ++precision) {
    const std::string text = scientific(value, precision);
    if (precision == 8 || round(std::strtof(text.c_str(), nullptr)) == bits) return text;
  }
}

std::string shortest_text(double value, DType dtype) {
  switch (dtype) {
    case DType::float16:
      return shortest_half(value, float_to_half);
    case DType::bfloat16:
      return shortest_half(value, float_to_bfloat16);
    case DType::float32:
    case DType::complex64:
      return scientific(float(value));
    default:
      return scientific(value);
  }
}

/// Integer and fraction of a positive number; at most `precision` digits after the point, the last
/// one rounded.
struct Parts {
  std::string integer, fraction;
};

Parts split(const std::string& text) {
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return {text, ""};
  Parts p{text.substr(0, point), text.substr(point + 1)};
  while (!p.fraction.empty() && p.fraction.back() == '0')
    p.fraction.pop_back();
  return p;
}

Parts positional(double value, DType dtype, std::size_t precision) {
  const Decimal d = shortest(value, dtype);
  const int after = int(d.digits.size()) - d.exponent;  // digits after the point
  if (after > int(precision)) return split(fixed(value, int(precision)));
  if (d.exponent <= 0) return {"0", std::string(std::size_t(-d.exponent), '0') + d.digits};
  if (after <= 0) return {d.digits + std::string(std::size_t(-after), '0'), ""};
  return split(d.digits.substr(0, std::size_t(d.exponent)) + "." +
               d.digits.substr(std::size_t(d.exponent)));
}

/// Mantissa of the scientific form, and the exponent in `exponent`. With `exact`, digits beyond
/// those that name the number fill the precision.
Parts mantissa(
    double value, DType dtype, std::size_t precision, int& exponent, bool exact = false) {
  Decimal d = shortest(value, dtype);
  const std::size_t wanted = precision + 1;
  if (d.digits.size() > wanted || (exact && d.digits.size() < wanted))
    d = parse(scientific(value, int(precision)));
  exponent = d.exponent - 1;
  return {d.digits.substr(0, 1), d.digits.substr(1)};
}

/// What NumPy computes in the dtype itself.
double in_dtype(double value, DType dtype) {
  switch (dtype) {
    case DType::float16:
      return double(half_to_float(float_to_half(float(value))));
    case DType::bfloat16:
      return double(bfloat16_to_float(float_to_bfloat16(float(value))));
    case DType::float32:
    case DType::complex64:
      return double(float(value));
    default:
      return value;
  }
}

/// The magnitude from which numbers are written with an exponent: about the decimal digits of the
/// dtype.
double exponent_from(DType dtype, double widest) {
  if (dtype == DType::float16 || dtype == DType::bfloat16) return 1e3;
  return dtype == DType::float32 || dtype == DType::complex64 ? 1e6 : widest;
}

std::string exponent_text(int exponent, std::size_t digits) {
  std::string text = std::to_string(std::abs(exponent));
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return (exponent < 0 ? "e-" : "e+") + text;
}

std::string non_finite(double value, bool always_sign) {
  if (std::isnan(value)) return always_sign ? "+nan" : "nan";
  return value < 0 ? "-inf" : always_sign ? "+inf" : "inf";
}

std::string pad_left(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

}  // namespace

Decimal shortest(double value, DType dtype) {
  return parse(shortest_text(value, dtype));
}

std::string scalar_text(double value, DType dtype, bool trim) {
  if (!std::isfinite(value)) return non_finite(value, false);
  const double magnitude = std::abs(value);
  const std::string sign = std::signbit(value) ? "-" : "";
  if (magnitude == 0 || (magnitude >= 1e-4 && magnitude < exponent_from(dtype, 1e16))) {
    const Parts p = positional(magnitude, dtype, 40);
    if (p.fraction.empty()) return sign + p.integer + (trim ? "" : ".0");
    return sign + p.integer + "." + p.fraction;
  }
  int exponent = 0;
  const Parts p = mantissa(magnitude, dtype, 40, exponent);
  return sign + p.integer + (p.fraction.empty() ? "" : "." + p.fraction) +
         exponent_text(exponent, 2);
}

FloatFormat::FloatFormat(const std::vector<double>& shown, DType dtype, bool always_sign)
    : dtype_(dtype), always_sign_(always_sign) {
  std::vector<double> finite;
  double most = 0, least = 0;
  bool negative_infinity = false;
  for (double v : shown) {
    if (std::isinf(v)) negative_infinity = negative_infinity || v < 0;
    if (!std::isfinite(v)) continue;
    finite.push_back(v);
    const double magnitude = std::abs(v);
    if (magnitude == 0) continue;
    most = std::max(most, magnitude);
    least = least == 0 ? magnitude : std::min(least, magnitude);
  }
  scientific_ = most > 0 && (most >= exponent_from(dtype, 1e8) || least < in_dtype(1e-4, dtype) ||
                             in_dtype(most / least, dtype) > 1000);
  if (!finite.empty()) scientific_ ? size_scientific(finite) : size_positional(finite);
  if (finite.size() == shown.size()) return;
  const std::size_t infinity = 3 + (negative_infinity || always_sign ? 1 : 0);
  const std::size_t widest = std::max<std::size_t>(3, infinity);
  if (widest > right_ + 1) left_ = std::max(left_, widest - right_ - 1);
}

void FloatFormat::size_positional(const std::vector<double>& finite) {
  for (double v : finite) {
    const Parts p = positional(std::abs(v), dtype_, precision_);
    left_ = std::max(left_, p.integer.size() + (std::signbit(v) || always_sign_ ? 1 : 0));
    right_ = std::max(right_, p.fraction.size());
  }
}

void FloatFormat::size_scientific(const std::vector<double>& finite) {
  std::size_t digits = 0;
  for (double v : finite) {
    int exponent = 0;
    const Parts p = mantissa(std::abs(v), dtype_, precision_, exponent);
    left_ = std::max<std::size_t>(left_, std::signbit(v) || always_sign_ ? 2 : 1);
    digits = std::max(digits, p.fraction.size());
    exponent_digits_ = std::max(exponent_digits_, std::to_string(std::abs(exponent)).size());
  }
  precision_ = digits;
  right_ = precision_ + exponent_digits_ + 2;
}

std::string FloatFormat::number(double value) const {
  const std::string sign = std::signbit(value) ? "-" : always_sign_ ? "+" : "";
  if (!scientific_) {
    const Parts p = positional(std::abs(value), dtype_, precision_);
    return pad_left(sign + p.integer, left_) + "." + p.fraction +
           std::string(right_ - p.fraction.size(), ' ');
  }
  int exponent = 0;
  const Parts p = mantissa(std::abs(value), dtype_, precision_, exponent, true);
  return pad_left(sign + p.integer, left_) + "." + p.fraction +
         std::string(precision_ - p.fraction.size(), '0') +
         exponent_text(exponent, exponent_digits_);
}

std::string FloatFormat::operator()(double value) const {
  if (std::isfinite(value)) return number(value);
  return pad_left(non_finite(value, always_sign_), left_ + right_ + 1);
}

}  // namespace weir::tensor
