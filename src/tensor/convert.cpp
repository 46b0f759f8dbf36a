#include "tensor/convert.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/tensor_impl.h"

namespace weir::tensor {
namespace {

template <class T>
T read(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void write(void* p, T v) {
  std::memcpy(p, &v, sizeof v);
}

Number from_int(std::int64_t v) {
  return {true, v, double(v), 0};
}
Number from_real(double v) {
  return {false, 0, v, 0};
}

/// A float to an integer as the hardware converts it, without undefined behaviour out of range.
std::int64_t truncate(double v) {
  if (!(v > -9223372036854775808.0 && v < 9223372036854775808.0))
    return std::numeric_limits<std::int64_t>::min();
  return std::int64_t(v);
}

[[noreturn]] void fail_fit(const std::string& number, DType dtype, const char* fix) {
  ErrorInfo e;
  e.what = "a host number does not fit the dtype that it must adopt";
  e.got = number + " with " + name(dtype);
  e.expected = std::string("a number that ") + name(dtype) + " holds";
  e.fix = fix;
  throw Error(e);
}

struct Range {
  double low, high;
};
Range range_of(DType t) {
  const int bits = bit_width(t);
  if (is_unsigned_integer(t)) return {0, std::ldexp(1.0, bits) - 1};
  return {-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1) - 1};
}

void check_fits(const Scalar& s, DType dtype) {
  const std::string text = s.beyond_int64()                  ? std::to_string(std::uint64_t(s.i))
                           : s.kind == Scalar::Kind::integer ? std::to_string(s.i)
                                                             : std::to_string(s.f);
  if (dtype == DType::string) fail_fit(text, dtype, "pass a string");
  if (s.kind == Scalar::Kind::complex && !is_complex(dtype))
    fail_fit("a complex number", dtype, "cast the tensor");
  if (dtype == DType::boolean && s.kind != Scalar::Kind::boolean)
    fail_fit(text, dtype, "pass true or false");
  if (is_integer(dtype)) {
    if (s.kind == Scalar::Kind::real)
      fail_fit(text, dtype, "cast the tensor to a floating dtype first");
    const Range r = range_of(dtype);
    const bool fits =
        s.beyond_int64() ? dtype == DType::uint64 : double(s.i) >= r.low && double(s.i) <= r.high;
    if (!fits) fail_fit(text, dtype, "cast the tensor to a wider dtype first");
  }
  if (is_floating(dtype) && std::isfinite(s.f)) {
    const double limit = dtype == DType::float16    ? 65504.0
                         : dtype == DType::bfloat16 ? 3.3895313892515355e38
                         : dtype == DType::float32  ? double(std::numeric_limits<float>::max())
                                                    : std::numeric_limits<double>::max();
    if (std::abs(s.f) > limit) fail_fit(text, dtype, "use a wider dtype");
  }
}

}  // namespace

// Source of both: IEEE 754-2019, binary16; round to nearest, ties to even.
float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = std::uint32_t(h & 0x8000u) << 16;
  const std::uint32_t exponent = (h >> 10) & 31u;
  const std::uint32_t mantissa = h & 1023u;
  if (exponent == 31) return __builtin_bit_cast(float, sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) {
    const float magnitude = float(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return __builtin_bit_cast(float, sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, value);
  const auto sign = std::uint16_t((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return std::uint16_t(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return std::uint16_t(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {  // denormal: let the float adder round
    const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
    return std::uint16_t(sign | (__builtin_bit_cast(std::uint32_t, shifted) - 0x3f000000u));
  }
  const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return std::uint16_t(sign | ((rounded - 0x38000000u) >> 13));
}

std::uint16_t float_to_bfloat16(float value) {
  const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return std::uint16_t((bits >> 16) | 0x40u);
  return std::uint16_t((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

Number load(const void* p, DType dtype) {
  switch (dtype) {
    case DType::float32:
      return from_real(double(read<float>(p)));
    case DType::float64:
      return from_real(read<double>(p));
    case DType::float16:
      return from_real(double(half_to_float(read<std::uint16_t>(p))));
    case DType::bfloat16:
      return from_real(double(bfloat16_to_float(read<std::uint16_t>(p))));
    case DType::int8:
      return from_int(read<std::int8_t>(p));
    case DType::int16:
      return from_int(read<std::int16_t>(p));
    case DType::int32:
      return from_int(read<std::int32_t>(p));
    case DType::int64:
      return from_int(read<std::int64_t>(p));
    case DType::uint8:
    case DType::boolean:
      return from_int(read<std::uint8_t>(p));
    case DType::uint16:
      return from_int(read<std::uint16_t>(p));
    case DType::uint32:
      return from_int(read<std::uint32_t>(p));
    case DType::uint64: {
      const auto v = read<std::uint64_t>(p);
      return {true, std::int64_t(v), double(v), 0};
    }
    case DType::complex64:
      return {
          false, 0, double(read<float>(p)), double(read<float>(static_cast<const float*>(p) + 1))};
    case DType::complex128:
      return {false, 0, read<double>(p), read<double>(static_cast<const double*>(p) + 1)};
    case DType::string:
    case DType::invalid:
      break;
  }
  return {};
}

void store(void* p, DType dtype, const Number& v) {
  const std::int64_t i = v.integer ? v.i : truncate(v.re);
  switch (dtype) {
    case DType::float32:
      return write(p, float(v.re));
    case DType::float64:
      return write(p, v.re);
    case DType::float16:
      return write(p, float_to_half(float(v.re)));
    case DType::bfloat16:
      return write(p, float_to_bfloat16(float(v.re)));
    case DType::int8:
    case DType::uint8:
      return write(p, std::uint8_t(i));
    case DType::int16:
    case DType::uint16:
      return write(p, std::uint16_t(i));
    case DType::int32:
    case DType::uint32:
      return write(p, std::uint32_t(i));
    case DType::int64:
    case DType::uint64:
      return write(p, i);
    case DType::boolean:
      return write(p, std::uint8_t(v.integer ? v.i != 0 : v.re != 0 || v.im != 0));
    case DType::complex64:
      write(p, float(v.re));
      return write(static_cast<float*>(p) + 1, float(v.im));
    case DType::complex128:
      write(p, v.re);
      return write(static_cast<double*>(p) + 1, v.im);
    case DType::string:
    case DType::invalid:
      break;
  }
}

Tensor adopt_scalar(const Scalar& s, DType dtype) {
  check_fits(s, dtype);
  Tensor t = TensorImpl::concrete(dtype, ShapeView(nullptr, 0));
  store(t.impl()->data(), dtype, Number{s.kind <= Scalar::Kind::integer, s.i, s.f, s.imag});
  return t;
}

}  // namespace weir::tensor

namespace weir::inline v0 {

void Tensor::convert_item(void* out, DType dtype) const {
  const void* p = raw_data();
  if (size() != 1 || this->dtype() == DType::string) {
    ErrorInfo e;
    e.what = "item() needs a tensor of one number";
    e.got = describe();
    e.fix = "use data<T>() for the elements";
    throw Error(e);
  }
  tensor::store(out, dtype, tensor::load(p, this->dtype()));
}

}  // namespace weir::inline v0
