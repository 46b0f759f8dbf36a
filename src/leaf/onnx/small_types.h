#pragma once

/// Conversions to and from the types that Weir has no dtype for: floats of 8 and 4 bits, integers
/// of 4 and 2 bits. Their tensors hold codes.

#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {

/// The values as float32 (exact) or, of integers, int32.
Tensor decode(const Value& v);
/// The codes of numbers of any dtype, rounded to nearest, ties to even (of integers: what the low
/// bits say). `saturate`: what is too large becomes the largest number instead of infinity or NaN.
Tensor encode(const NodeContext& c, const Tensor& x, ElemType type, bool saturate);
/// A value of any type as another. Strings are not converted.
Value cast_value(const NodeContext& c, const Value& v, ElemType to, bool saturate);
/// The range of an integer type.
struct IntegerRange {
  double low, high;
};
IntegerRange integer_range(ElemType type);
constexpr bool is_small_float(ElemType t) {
  return (t >= ElemType::float8e4m3fn && t <= ElemType::float8e5m2fnuz) ||
         t == ElemType::float4e2m1 || t == ElemType::float8e8m0;
}

}  // namespace weir::onnx_io
