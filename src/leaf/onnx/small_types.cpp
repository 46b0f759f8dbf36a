#include "leaf/onnx/small_types.h"

#include <cmath>
#include <limits>

namespace weir::onnx_io {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// A float of `exponent` and `mantissa` bits behind a sign bit.
struct Format {
  int exponent, mantissa, bias;
  bool has_infinity;   // as IEEE; else the codes of infinity are numbers
  int nan;             // code of NaN without sign; -1: none
  bool negative_zero;  // false: the code of -0 is NaN
  int bits() const { return 1 + exponent + mantissa; }
  int sign() const { return 1 << (bits() - 1); }
};

Format format_of(ElemType type) {
  switch (type) {
    case ElemType::float8e4m3fn:
      return {4, 3, 7, false, 0x7f, true};
    case ElemType::float8e4m3fnuz:
      return {4, 3, 8, false, -1, false};
    case ElemType::float8e5m2:
      return {5, 2, 15, true, 0x7e, true};
    case ElemType::float8e5m2fnuz:
      return {5, 2, 16, false, -1, false};
    default:
      return {2, 1, 1, false, -1, true};  // float4e2m1
  }
}

// The value of a code without sign.
float magnitude(const Format& f, int code) {
  const int exponent = code >> f.mantissa, fraction = code & ((1 << f.mantissa) - 1);
  const int top = (1 << f.exponent) - 1;
  if (f.has_infinity && exponent == top) return fraction == 0 ? kInfinity : kNaN;
  if (code == f.nan) return kNaN;
  if (exponent == 0) return std::ldexp(float(fraction), 1 - f.bias - f.mantissa);
  return std::ldexp(float(fraction + (1 << f.mantissa)), exponent - f.bias - f.mantissa);
}

std::vector<float> decode_table(ElemType type) {
  std::vector<float> table;
  if (type == ElemType::float8e8m0) {
    for (int code = 0; code < 255; ++code)
      table.push_back(std::ldexp(1.f, code - 127));
    table.push_back(kNaN);
    return table;
  }
  const Format f = format_of(type);
  for (int code = 0; code < 2 * f.sign(); ++code) {
    const bool negative = (code & f.sign()) != 0;
    const float m = magnitude(f, code & (f.sign() - 1));
    table.push_back(negative ? -m : m);
    if (!f.negative_zero && code == f.sign()) table.back() = kNaN;
  }
  return table;
}

// Code k + 1 begins at the k-th number: half way to it, or just above half way if k is even, since
// ties go to the even code.
std::vector<float> thresholds(const Format& f) {
  std::vector<float> list;
  for (int code = 0;; ++code) {
    const float low = magnitude(f, code);
    float high = magnitude(f, code + 1);
    const bool last = code + 1 >= f.sign() || !std::isfinite(high);
    if (last) high = low + (low - magnitude(f, code - 1));  // what would follow
    const float middle = low + (high - low) / 2;
    list.push_back(code % 2 == 0 ? std::nextafter(middle, kInfinity) : middle);
    if (last) return list;
  }
}

int largest_code(const Format& f) {
  int code = 0;
  while (code + 1 < f.sign() && std::isfinite(magnitude(f, code + 1)))
    ++code;
  return code;
}

Tensor byte(int v) {
  return Tensor(static_cast<std::uint8_t>(v));
}

// Position of each element among the thresholds.
Tensor position(const Tensor& magnitudes, const std::vector<float>& table) {
  const Tensor flat = reshape(magnitudes, List{1, -1});
  const Tensor rows = Tensor::from(table, Shape{1, Dim(std::int64_t(table.size()))});
  const Tensor found = searchsorted(rows, flat, true, DType::int32);
  return cast(reshape(found, dims_of(magnitudes)), DType::uint8);
}

// Is the sign bit set? -0 and NaN have one too.
Tensor sign_bit(const Tensor& x) {
  return less(bitcast(x, DType::int32), Tensor(std::int32_t{0}));
}

Tensor encode_float(const Tensor& x, ElemType type, bool saturate) {
  const Format f = format_of(type);
  const int largest = largest_code(f);
  const Tensor nan = is_nan(x), infinite = is_inf(x);
  const Tensor a = where(nan, zeros_like(x), abs(x));
  Tensor code = position(a, thresholds(f));
  // Without NaN and infinity there is nothing but the largest number.
  const bool clamps = saturate || type == ElemType::float4e2m1;
  int overflow = f.has_infinity ? 0x7c : f.nan;
  if (clamps) overflow = largest;
  const Tensor negative = sign_bit(x);
  if (!f.negative_zero) {
    const Tensor zero = equal(code, byte(0));
    const Tensor signed_code =
        where(logical_and(negative, logical_not(zero)), bitwise_or(code, byte(f.sign())), code);
    Tensor result = signed_code;
    const Tensor too_large = greater(code, byte(largest));
    const Tensor limit = where(negative, byte(largest | f.sign()), byte(largest));
    result = where(too_large, clamps ? limit : zeros_like(limit) + byte(f.sign()), result);
    return where(clamps ? nan : logical_or(nan, infinite), byte(f.sign()), result);
  }
  code = where(greater(code, byte(largest)), byte(overflow), code);
  if (f.has_infinity && !saturate) code = where(infinite, byte(0x7c), code);
  if (f.nan >= 0) code = where(nan, byte(f.nan), code);
  if (f.nan < 0) code = where(nan, byte(f.sign()), code);
  return where(negative, bitwise_or(code, byte(f.sign())), code);
}

// Powers of two: the exponent of a float32, rounded as `mode` says.
Tensor encode_exponent(const NodeContext& c, const Tensor& x, bool saturate) {
  const std::string mode = c.s("round_mode", "up");
  const auto number = [](std::int32_t v) { return Tensor(v); };
  const Tensor bits = bitcast(x, DType::int32);
  const Tensor exponent = bitwise_and(right_shift(bits, number(23)), number(0xff));
  const Tensor fraction = bitwise_and(bits, number(0x7fffff));
  Tensor up = zeros_like(exponent);
  if (mode == "up") {
    up = cast(greater(fraction, number(0)), DType::int32);
  } else if (mode == "nearest") {
    const Tensor half = number(0x400000);
    const Tensor tie = logical_and(equal(fraction, half), greater(exponent, number(0)));
    up = cast(logical_or(greater(fraction, half), tie), DType::int32);
  } else if (mode != "down") {
    c.damaged("the attribute 'round_mode'");
  }
  const Tensor rounded = exponent + up;
  const Tensor limited = saturate ? minimum(rounded, number(254)) : rounded;
  return cast(where(equal(exponent, number(255)), exponent, limited), DType::uint8);
}

Tensor narrowed(const Tensor& x, ElemType type) {
  const bool is_signed = type == ElemType::int4 || type == ElemType::int2;
  const int bits = raw_bits(type);
  const Tensor low = bitwise_and(x, Tensor((std::int32_t{1} << bits) - 1));
  if (!is_signed) return cast(low, DType::uint8);
  const std::int32_t half = std::int32_t{1} << (bits - 1);
  return cast(bitwise_xor(low, Tensor(half)) - Tensor(half), DType::int8);
}

}  // namespace

Tensor decode(const Value& v) {
  if (!is_small_float(v.type)) return cast(v.tensor, DType::int32);
  const std::vector<float> table = decode_table(v.type);
  return gather(Tensor::from(table), cast(v.tensor, DType::int32));
}

IntegerRange integer_range(ElemType type) {
  switch (type) {
    case ElemType::uint4:
      return {0, 15};
    case ElemType::int4:
      return {-8, 7};
    case ElemType::uint2:
      return {0, 3};
    case ElemType::int2:
      return {-2, 1};
    default:
      break;
  }
  const DType t = storage_dtype(type);
  const int bits = bit_width(t);
  if (is_unsigned_integer(t)) return {0, std::ldexp(1.0, bits) - 1};
  return {-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1) - 1};
}

Tensor encode(const NodeContext& c, const Tensor& x, ElemType type, bool saturate) {
  if (type == ElemType::float8e8m0) {
    return encode_exponent(c, cast(x, DType::float32), saturate);
  }
  if (is_small_float(type)) return encode_float(cast(x, DType::float32), type, saturate);
  return narrowed(cast(x, DType::int32), type);
}

Value cast_value(const NodeContext& c, const Value& v, ElemType to, bool saturate) {
  if (v.type == to) return Value(identity(v.tensor), to);
  if (v.type == ElemType::string || to == ElemType::string) c.unsupported("numbers as strings");
  const Tensor x = is_coded(v.type) ? decode(v) : v.tensor;
  if (is_coded(to)) return Value(encode(c, x, to, saturate), to);
  return Value(x.dtype() == storage_dtype(to) ? x : cast(x, storage_dtype(to)), to);
}

}  // namespace weir::onnx_io
