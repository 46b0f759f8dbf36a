#include <weir/ops/linalg.h>

#include <cmath>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/small_types.h"
#include "leaf/onnx/windows.h"

namespace weir::onnx_io {
namespace {

const Value& tensor_value(NodeContext& c, std::size_t i) {
  const Value& v = c.value(i);
  if (!v.tensor.defined()) c.damaged("operand " + std::to_string(i) + " is no tensor");
  return v;
}

Values convert_cast(NodeContext& c) {
  const ElemType to = elem_type_from(static_cast<int>(c.i("to")), "the attribute 'to'");
  return {cast_value(c, tensor_value(c, 0), to, c.flag("saturate", true))};
}

Values convert_cast_like(NodeContext& c) {
  return {cast_value(c, tensor_value(c, 0), tensor_value(c, 1).type, c.flag("saturate", true))};
}

Values convert_bit_cast(NodeContext& c) {
  const ElemType to = elem_type_from(static_cast<int>(c.i("to")), "the attribute 'to'");
  if (is_coded(to)) c.unsupported(std::string("the type ") + name(to));
  const Tensor& x = c.in(0);
  if (bit_width(x.dtype()) != bit_width(storage_dtype(to))) c.damaged("types of other sizes");
  return {bitcast(x, storage_dtype(to))};
}

// -- quantisation --

// Scale or zero point [c], or in blocks along the axis, as something that broadcasts against x.
Tensor along_axis(NodeContext& c, const Tensor& x, const Tensor& p, std::int64_t block) {
  if (p.rank() == 0 || p.size() == 1) return as_scalar(p);
  const std::int64_t rank = x.rank(), axis = check_axis(c, c.i("axis", 1), rank);
  if (block > 0) {
    if (p.rank() != rank) c.damaged("a scale of another rank");
    List wide = known_dims(c, p), grown = wide;
    wide.insert(wide.begin() + axis + 1, 1);
    grown.insert(grown.begin() + axis + 1, block);
    List merged = known_dims(c, p);
    merged[static_cast<std::size_t>(axis)] *= block;
    const Tensor repeated = reshape(broadcast_to(reshape(p, wide), grown), merged);
    return take(repeated, axis, 0, 1, known_dim(c, x, axis));
  }
  if (p.rank() != 1) c.damaged("a scale that is no vector");
  List dims(static_cast<std::size_t>(rank), 1);
  dims[static_cast<std::size_t>(axis)] = -1;
  return reshape(p, dims);
}

Tensor number_of(const Value& v) {
  return is_coded(v.type) ? cast(decode(v), DType::float32) : cast(v.tensor, DType::float32);
}

Value quantized(NodeContext& c, const Tensor& scaled, const Tensor& zero, ElemType to) {
  if (is_small_float(to)) {
    return Value(encode(c, zero.defined() ? scaled + zero : scaled, to, c.flag("saturate", true)),
                 to);
  }
  const IntegerRange range = integer_range(to);
  Tensor y = rint(scaled);
  if (zero.defined()) y = y + zero;
  y = clip_by_value(y, range.low, range.high);
  if (is_coded(to)) return Value(encode(c, y, to, true), to);
  return cast(y, storage_dtype(to));
}

Values convert_quantize(NodeContext& c) {
  const Tensor x = cast(c.in(0), DType::float32);
  const std::int64_t block = c.i("block_size", 0);
  ElemType to = ElemType::uint8;
  if (c.has(2)) {
    to = tensor_value(c, 2).type;
  } else if (c.i("output_dtype", 0) != 0) {
    to = elem_type_from(static_cast<int>(c.i("output_dtype")), "the attribute 'output_dtype'");
  }
  const Tensor scale = along_axis(c, x, number_of(tensor_value(c, 1)), block);
  Tensor zero;
  if (c.has(2)) zero = along_axis(c, x, number_of(tensor_value(c, 2)), block);
  return {quantized(c, x / scale, zero, to)};
}

Values convert_dequantize(NodeContext& c) {
  const Tensor x = number_of(tensor_value(c, 0));
  const Value& s = tensor_value(c, 1);
  const std::int64_t block = c.i("block_size", 0);
  const Tensor scale = along_axis(c, x, number_of(s), block);
  Tensor y = x;
  if (c.has(2)) y = x - along_axis(c, x, number_of(tensor_value(c, 2)), block);
  ElemType to = s.type;
  if (c.i("output_dtype", 0) != 0) {
    to = elem_type_from(static_cast<int>(c.i("output_dtype")), "the attribute 'output_dtype'");
  }
  return {cast_value(c, y * scale, to, true)};
}

Values convert_dynamic_quantize(NodeContext& c) {
  const Tensor& x = c.in(0);
  const Tensor low = minimum(min(x), 0), high = maximum(max(x), 0);
  const Tensor scale = (high - low) / 255.0;
  const Tensor zero = rint(clip_by_value(-low / scale, 0, 255));
  const Tensor y = clip_by_value(rint(x / scale) + zero, 0, 255);
  return {cast(y, DType::uint8), scale, cast(zero, DType::uint8)};
}

// (a - zero point of a) as float64, in which products of bytes are exact.
Tensor centred(NodeContext& c, std::size_t i, std::size_t zero, bool rows) {
  const Tensor x = cast(number_of(tensor_value(c, i)), DType::float64);
  Tensor z = cast(number_of(tensor_value(c, zero)), DType::float64);
  if (rows && z.rank() == 1 && z.dim(0) != 1) z = expand_dims(z, -1);
  return x - (z.rank() == 1 && z.dim(0) == 1 ? as_scalar(z) : z);
}

Values convert_qlinear_matmul(NodeContext& c) {
  const Tensor product = matmul(centred(c, 0, 2, true), centred(c, 3, 5, false));
  Tensor sa = number_of(tensor_value(c, 1)), sb = number_of(tensor_value(c, 4));
  if (sa.rank() == 1 && sa.dim(0) != 1) sa = expand_dims(sa, -1);
  const Tensor scale = (sa.size() == 1 ? as_scalar(sa) : sa) *
                       (sb.size() == 1 ? as_scalar(sb) : sb) /
                       as_scalar(number_of(tensor_value(c, 6)));
  const Tensor y = cast(product * cast(scale, DType::float64), DType::float32);
  return {quantized(c, y, as_scalar(number_of(tensor_value(c, 7))), tensor_value(c, 7).type)};
}

constexpr Converter kConverters[] = {
    {"BitCast", convert_bit_cast},
    {"Cast", convert_cast},
    {"CastLike", convert_cast_like},
    {"DequantizeLinear", convert_dequantize, 10},
    {"DynamicQuantizeLinear", convert_dynamic_quantize},
    {"QLinearMatMul", convert_qlinear_matmul},
    {"QuantizeLinear", convert_quantize, 10},
};

}  // namespace

std::span<const Converter> cast_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
