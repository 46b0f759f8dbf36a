#include "leaf/onnx/constant.h"

#include <algorithm>
#include <complex>
#include <cstring>

#include "io/file/file.h"
#include "leaf/onnx/external_data.h"
#include "tensor/tensor_impl.h"

namespace weir::onnx_io {
namespace {

[[noreturn]] void damaged(const std::string& what, const std::string& cause) {
  io::fail(Code::data_loss, what + ": " + cause);
}

struct TypeRow {
  const char* name;
  DType storage;
  int raw_bits;
};

// By ElemType.
constexpr TypeRow kTypes[] = {
    {"undefined", DType::invalid, 0},
    {"float", DType::float32, 32},
    {"uint8", DType::uint8, 8},
    {"int8", DType::int8, 8},
    {"uint16", DType::uint16, 16},
    {"int16", DType::int16, 16},
    {"int32", DType::int32, 32},
    {"int64", DType::int64, 64},
    {"string", DType::string, 0},
    {"bool", DType::boolean, 8},
    {"float16", DType::float16, 16},
    {"double", DType::float64, 64},
    {"uint32", DType::uint32, 32},
    {"uint64", DType::uint64, 64},
    {"complex64", DType::complex64, 64},
    {"complex128", DType::complex128, 128},
    {"bfloat16", DType::bfloat16, 16},
    {"float8e4m3fn", DType::uint8, 8},
    {"float8e4m3fnuz", DType::uint8, 8},
    {"float8e5m2", DType::uint8, 8},
    {"float8e5m2fnuz", DType::uint8, 8},
    {"uint4", DType::uint8, 4},
    {"int4", DType::int8, 4},
    {"float4e2m1", DType::uint8, 4},
    {"float8e8m0", DType::uint8, 8},
    {"uint2", DType::uint8, 2},
    {"int2", DType::int8, 2},
};
static_assert(std::size(kTypes) == kLastElemType + 1);

const TypeRow& row(ElemType type) {
  return kTypes[static_cast<int>(type)];
}

template <class T>
std::span<T> elements(const Tensor& tensor) {
  return {static_cast<T*>(tensor.impl()->data()), static_cast<std::size_t>(tensor.size())};
}

// Elements of 4 or 2 bits, the first in the low bits; those of signed types are extended.
void unpack_bits(std::string_view raw, int bits, bool is_signed, std::span<std::uint8_t> out) {
  const std::size_t per_byte = 8 / static_cast<std::size_t>(bits);
  const unsigned mask = (1u << bits) - 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned shift = static_cast<unsigned>(i % per_byte) * static_cast<unsigned>(bits);
    unsigned v = (static_cast<unsigned char>(raw[i / per_byte]) >> shift) & mask;
    if (is_signed && (v >> (bits - 1)) != 0) v |= ~mask;
    out[i] = static_cast<std::uint8_t>(v);
  }
}

std::int64_t raw_size(ElemType type, std::int64_t count) {
  if (raw_bits(type) >= 8) return count * (raw_bits(type) / 8);
  const int per_byte = 8 / raw_bits(type);
  return count / per_byte + (count % per_byte != 0 ? 1 : 0);
}

void fill_raw(std::string_view raw, ElemType type, const Tensor& out, const std::string& what) {
  const std::int64_t wanted = raw_size(type, out.size());
  if (static_cast<std::int64_t>(raw.size()) != wanted) {
    damaged(what,
            "it has " + std::to_string(raw.size()) + " bytes, its shape needs " +
                std::to_string(wanted));
  }
  if (raw.empty()) return;
  if (raw_bits(type) < 8) {
    const bool is_signed = out.dtype() == DType::int8;
    return unpack_bits(raw, raw_bits(type), is_signed, elements<std::uint8_t>(out));
  }
  std::memcpy(out.impl()->data(), raw.data(), raw.size());
  if (type != ElemType::boolean) return;
  for (unsigned char& byte : elements<unsigned char>(out))
    byte = byte != 0;
}

// Typed fields: one entry an element, but for complex numbers and types below 8 bits.
template <class T, class Field>
void fill_cast(const Field& field, const Tensor& out, const std::string& what) {
  if (field.size() != out.size()) damaged(what, "another number of values than its shape has");
  const auto target = elements<T>(out);
  for (int i = 0; i < field.size(); ++i)
    target[static_cast<std::size_t>(i)] = static_cast<T>(field.Get(i));
}

template <class T, class Field>
void fill_complex(const Field& field, const Tensor& out, const std::string& what) {
  if (field.size() % 2 != 0 || field.size() / 2 != out.size()) {
    damaged(what, "another number of values than its shape has");
  }
  const auto target = elements<std::complex<T>>(out);
  for (std::size_t i = 0; i < target.size(); ++i) {
    const int at = static_cast<int>(2 * i);
    target[i] = {field.Get(at), field.Get(at + 1)};
  }
}

// int32_data carries the packed bytes of types below 8 bits.
void fill_packed(const onnx_proto::TensorProto& p,
                 ElemType type,
                 const Tensor& out,
                 const std::string& what) {
  std::string raw;
  for (const std::int32_t v : p.int32_data())
    raw.push_back(static_cast<char>(v));
  fill_raw(raw, type, out, what);
}

void fill_from_fields(const onnx_proto::TensorProto& p,
                      ElemType type,
                      const Tensor& out,
                      const std::string& what) {
  if (raw_bits(type) < 8) return fill_packed(p, type, out, what);
  switch (out.dtype()) {
    case DType::float32:
      return fill_cast<float>(p.float_data(), out, what);
    case DType::float64:
      return fill_cast<double>(p.double_data(), out, what);
    case DType::int64:
      return fill_cast<std::int64_t>(p.int64_data(), out, what);
    case DType::uint64:
      return fill_cast<std::uint64_t>(p.uint64_data(), out, what);
    case DType::uint32:
      return fill_cast<std::uint32_t>(p.uint64_data(), out, what);
    case DType::int32:
      return fill_cast<std::int32_t>(p.int32_data(), out, what);
    case DType::int16:
    case DType::uint16:
    case DType::float16:
    case DType::bfloat16:
      return fill_cast<std::uint16_t>(p.int32_data(), out, what);
    case DType::int8:
    case DType::uint8:
      return fill_cast<std::uint8_t>(p.int32_data(), out, what);
    case DType::boolean:
      return fill_cast<bool>(p.int32_data(), out, what);
    case DType::complex64:
      return fill_complex<float>(p.float_data(), out, what);
    case DType::complex128:
      return fill_complex<double>(p.double_data(), out, what);
    case DType::string:
    case DType::invalid:
      return;
  }
}

Tensor strings_from(const onnx_proto::TensorProto& p, const Shape& shape, const std::string& what) {
  if (p.string_data_size() != shape.size()) {
    damaged(what, "another number of strings than its shape has");
  }
  const std::vector<std::string_view> texts(p.string_data().begin(), p.string_data().end());
  return Tensor::strings(texts, shape);
}

std::uint64_t typed_values(const onnx_proto::TensorProto& p) {
  return std::uint64_t(p.float_data_size()) + std::uint64_t(p.int32_data_size()) +
         std::uint64_t(p.int64_data_size()) + std::uint64_t(p.double_data_size()) +
         std::uint64_t(p.uint64_data_size());
}

// Row-major positions of a sparse tensor's values: given as such, or as coordinates.
std::vector<std::int64_t> sparse_positions(const Tensor& indices,
                                           const Shape& shape,
                                           std::int64_t values,
                                           const std::string& what) {
  const bool linear = indices.rank() == 1;
  if (indices.dtype() != DType::int64 || indices.rank() < 1 || indices.rank() > 2 ||
      indices.dim(0) != values || (!linear && indices.dim(1) != shape.rank())) {
    damaged(what, "indices that do not fit the values");
  }
  const auto given = indices.data<std::int64_t>();
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < values; ++i) {
    std::int64_t position = linear ? given[std::size_t(i)] : 0;
    for (int axis = 0; !linear && axis < shape.rank(); ++axis) {
      const std::int64_t at = given[std::size_t(i * shape.rank() + axis)];
      if (at < 0 || at >= shape[axis].value()) damaged(what, "an index out of range");
      position = position * shape[axis].value() + at;
    }
    if (position < 0 || position >= shape.size()) damaged(what, "an index out of range");
    positions.push_back(position);
  }
  return positions;
}

Shape shape_of(const auto& proto, const std::string& what) {
  const std::vector<std::int64_t> dims(proto.dims().begin(), proto.dims().end());
  return checked_shape(dims, what);
}

}  // namespace

DType storage_dtype(ElemType type) {
  return row(type).storage;
}

ElemType elem_type(DType dtype) {
  for (int i = 1; i <= static_cast<int>(ElemType::bfloat16); ++i) {
    if (kTypes[i].storage == dtype) return static_cast<ElemType>(i);
  }
  return ElemType::undefined;
}

int raw_bits(ElemType type) {
  return row(type).raw_bits;
}

const char* name(ElemType type) {
  return row(type).name;
}

ElemType elem_type_from(int number, const std::string& what) {
  if (number > 0 && number <= kLastElemType) return static_cast<ElemType>(number);
  damaged(what, "no element type has the number " + std::to_string(number));
}

Shape checked_shape(std::span<const std::int64_t> dims, const std::string& what) {
  if (dims.size() > kMaxRank) damaged(what, "a shape of more than 254 dimensions");
  std::int64_t count = 16;  // bytes of the widest element
  for (const std::int64_t d : dims) {
    if (d < 0) damaged(what, "a negative dimension");
    if (__builtin_mul_overflow(count, std::max<std::int64_t>(d, 1), &count)) {
      damaged(what, "a shape of more than 2^63 bytes");
    }
  }
  return Shape(dims);
}

Value value_from_proto(const onnx_proto::TensorProto& proto,
                       const DataFiles& files,
                       const std::string& what) {
  const ElemType type = elem_type_from(proto.data_type(), what);
  const Shape shape = shape_of(proto, what);
  if (type == ElemType::string) return {strings_from(proto, shape, what)};
  // Checked before memory is taken for what the shape says.
  const auto bytes = static_cast<std::uint64_t>(raw_size(type, shape.size()));
  const bool external = proto.data_location() == 1;
  std::string loaded;
  if (external) loaded = read_external(proto, files, bytes, what);
  const std::string& raw = external ? loaded : proto.raw_data();
  const bool typed = raw.empty() && typed_values(proto) > 0;
  if (!typed && raw.size() != bytes) {
    damaged(what,
            "it has " + std::to_string(raw.size()) + " bytes, its shape needs " +
                std::to_string(bytes));
  }
  if (typed && std::uint64_t(shape.size()) > 4 * typed_values(proto)) {
    damaged(what, "another number of values than its shape has");
  }
  const Tensor tensor = TensorImpl::concrete(storage_dtype(type), shape);
  if (shape.size() > 0 && typed) fill_from_fields(proto, type, tensor, what);
  if (shape.size() > 0 && !typed) fill_raw(raw, type, tensor, what);
  return {tensor, type};
}

Value value_from_proto(const onnx_proto::SparseTensorProto& proto,
                       const DataFiles& files,
                       const std::string& what) {
  constexpr std::int64_t kMaxDense = std::int64_t{1} << 30;
  const Shape shape = shape_of(proto, what);
  const Value values = value_from_proto(proto.values(), files, what);
  const Value indices = value_from_proto(proto.indices(), files, what);
  if (values.tensor.rank() != 1 || values.type == ElemType::string) damaged(what, "its values");
  if (shape.size() * byte_size(values.tensor.dtype()) > kMaxDense) {
    io::fail(Code::resource_exhausted, what + ": a sparse tensor of more than 1 GiB");
  }
  const auto positions = sparse_positions(indices.tensor, shape, values.tensor.size(), what);
  const Tensor dense = Tensor::zeros(shape, values.tensor.dtype());
  const auto width = static_cast<std::size_t>(byte_size(dense.dtype()));
  auto* to = static_cast<std::byte*>(dense.impl()->data());
  const auto* from = static_cast<const std::byte*>(values.tensor.raw_data());
  for (std::size_t i = 0; i < positions.size(); ++i)
    std::memcpy(to + std::size_t(positions[i]) * width, from + i * width, width);
  return {dense, values.type};
}

void to_proto(const Tensor& tensor, onnx_proto::TensorProto* out) {
  out->set_data_type(static_cast<int>(elem_type(tensor.dtype())));
  for (int axis = 0; axis < tensor.rank(); ++axis)
    out->add_dims(tensor.dim(axis));
  if (tensor.dtype() == DType::string) {
    for (const StringView text : tensor.data<StringView>())
      out->add_string_data(text.data, static_cast<std::size_t>(text.size));
    return;
  }
  out->set_raw_data(tensor.raw_data(), static_cast<std::size_t>(tensor.nbytes()));
}

}  // namespace weir::onnx_io
