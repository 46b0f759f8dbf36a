#include "io/graph_def/tensor_proto.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <span>
#include <vector>

#include "io/file/file.h"
#include "tensor/tensor_impl.h"

namespace weir::io {
namespace {

// A tensor whose elements are not in the file but repeated from the last one ("splat") may be far
// larger than the file; this much is believed.
constexpr std::int64_t kMaxSplatBytes = std::int64_t{1} << 32;

[[noreturn]] void damaged(const std::string& what, const std::string& cause) {
  fail(Code::data_loss, what + ": " + cause);
}

std::int64_t checked_size(const Shape& shape, DType dtype, const std::string& what) {
  std::int64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (const Dim dim : shape.dims()) {
    if (!dim.known()) damaged(what, "a value with an unknown dimension");
    empty = empty || dim.value() == 0;
    overflow =
        overflow || __builtin_mul_overflow(count, std::max<std::int64_t>(dim.value(), 1), &count);
  }
  std::int64_t bytes = 0;
  overflow = overflow || __builtin_mul_overflow(count, byte_size(dtype), &bytes);
  if (overflow) damaged(what, "a shape of more than 2^63 bytes: " + shape.to_string());
  return empty ? 0 : count;
}

// Fills `out` with the values of a typed field: missing ones repeat the last, none at all means 0.
template <class T, class Field, class Convert>
void fill_from(const Field& field, Convert convert, std::span<T> out) {
  const auto given = std::min(out.size(), static_cast<std::size_t>(field.size()));
  for (std::size_t i = 0; i < given; ++i)
    out[i] = convert(field.Get(static_cast<int>(i)));
  const T last = given > 0 ? out[given - 1] : T{};
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(given), out.end(), last);
}

template <class T>
std::span<T> elements(const Tensor& tensor) {
  return {static_cast<T*>(tensor.impl()->data()), static_cast<std::size_t>(tensor.size())};
}

template <class T, class Field>
void fill_cast(const Field& field, const Tensor& out) {
  fill_from(
      field, [](auto value) { return static_cast<T>(value); }, elements<T>(out));
}

// Half floats are stored as their bits in int32.
template <class T, class Field>
void fill_bits(const Field& field, const Tensor& out) {
  fill_from(
      field, [](int value) { return T{static_cast<std::uint16_t>(value)}; }, elements<T>(out));
}

// Complex numbers are stored as pairs; an odd number at the end is dropped.
template <class T, class Field>
void fill_complex(const Field& field, const Tensor& out) {
  const auto target = elements<std::complex<T>>(out);
  const auto given = std::min(target.size(), static_cast<std::size_t>(field.size() / 2));
  for (std::size_t i = 0; i < given; ++i) {
    const int at = static_cast<int>(2 * i);
    target[i] = {field.Get(at), field.Get(at + 1)};
  }
  const std::complex<T> last = given > 0 ? target[given - 1] : std::complex<T>{};
  std::fill(target.begin() + static_cast<std::ptrdiff_t>(given), target.end(), last);
}

void fill_from_fields(const proto::TensorProto& p, const Tensor& out) {
  switch (out.dtype()) {
    case DType::float32:
      return fill_cast<float>(p.float_val(), out);
    case DType::float64:
      return fill_cast<double>(p.double_val(), out);
    case DType::int8:
      return fill_cast<std::int8_t>(p.int_val(), out);
    case DType::int16:
      return fill_cast<std::int16_t>(p.int_val(), out);
    case DType::int32:
      return fill_cast<std::int32_t>(p.int_val(), out);
    case DType::int64:
      return fill_cast<std::int64_t>(p.int64_val(), out);
    case DType::uint8:
      return fill_cast<std::uint8_t>(p.int_val(), out);
    case DType::uint16:
      return fill_cast<std::uint16_t>(p.int_val(), out);
    case DType::uint32:
      return fill_cast<std::uint32_t>(p.uint32_val(), out);
    case DType::uint64:
      return fill_cast<std::uint64_t>(p.uint64_val(), out);
    case DType::boolean:
      return fill_cast<bool>(p.bool_val(), out);
    case DType::float16:
      return fill_bits<float16>(p.half_val(), out);
    case DType::bfloat16:
      return fill_bits<bfloat16>(p.half_val(), out);
    case DType::complex64:
      return fill_complex<float>(p.scomplex_val(), out);
    case DType::complex128:
      return fill_complex<double>(p.dcomplex_val(), out);
    case DType::string:
    case DType::invalid:
      return;
  }
}

bool read_varint(std::string_view* bytes, std::uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    *value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// The lengths of all strings, then their bytes.
std::vector<std::string_view> split_content(std::string_view content,
                                            std::int64_t count,
                                            const std::string& what) {
  if (count > static_cast<std::int64_t>(content.size())) damaged(what, "too few bytes of strings");
  std::vector<std::uint64_t> lengths(static_cast<std::size_t>(count));
  for (std::uint64_t& length : lengths) {
    if (!read_varint(&content, &length)) damaged(what, "a damaged length of a string");
  }
  std::vector<std::string_view> texts;
  for (const std::uint64_t length : lengths) {
    if (length > content.size()) damaged(what, "too few bytes of strings");
    texts.push_back(content.substr(0, length));
    content.remove_prefix(length);
  }
  if (!content.empty()) damaged(what, "more bytes than its strings have");
  return texts;
}

Tensor strings_from_proto(const proto::TensorProto& p,
                          const Shape& shape,
                          std::int64_t count,
                          const std::string& what) {
  if (!p.tensor_content().empty()) {
    return Tensor::strings(split_content(p.tensor_content(), count, what), shape);
  }
  std::vector<std::string_view> texts(static_cast<std::size_t>(count));
  fill_from(
      p.string_val(), [](const std::string& s) { return std::string_view(s); }, std::span(texts));
  return Tensor::strings(texts, shape);
}

void copy_content(std::string_view content, const Tensor& out) {
  std::memcpy(out.impl()->data(), content.data(), content.size());
  if (out.dtype() != DType::boolean) return;
  for (unsigned char& byte : elements<unsigned char>(out))
    byte = byte != 0;
}

}  // namespace

void to_proto(const Shape& shape, proto::TensorShapeProto* out) {
  out->Clear();
  out->set_unknown_rank(!shape.has_rank());
  for (const Dim dim : shape.dims())
    out->add_dim()->set_size(dim.value());
}

void to_proto(const Tensor& tensor, proto::TensorProto* out) {
  out->Clear();
  out->set_dtype(static_cast<proto::DataType>(tensor.dtype()));
  to_proto(tensor.shape(), out->mutable_tensor_shape());
  if (tensor.dtype() == DType::string) {
    for (const StringView text : tensor.data<StringView>()) {
      out->add_string_val(text.data, static_cast<std::size_t>(text.size));
    }
    return;
  }
  out->set_tensor_content(tensor.raw_data(), static_cast<std::size_t>(tensor.nbytes()));
}

DType dtype_from_proto(int value, const std::string& what) {
  const auto dtype = static_cast<DType>(value);
  if (value > 0 && value < 256 && is_valid(dtype)) return dtype;
  fail(Code::unimplemented, what + ": dtype number " + std::to_string(value) + " of TensorFlow");
}

Shape shape_from_proto(const proto::TensorShapeProto& proto, const std::string& what) {
  if (proto.unknown_rank()) return Shape::unknown_rank();
  if (proto.dim_size() > kMaxRank) damaged(what, "a shape of more than 254 dimensions");
  Shape shape;
  for (const auto& dim : proto.dim()) {
    if (dim.size() < -1) damaged(what, "a negative dimension");
    shape.push_back(Dim(dim.size()));
  }
  return shape;
}

Tensor tensor_from_proto(const proto::TensorProto& p, const std::string& what) {
  const DType dtype = dtype_from_proto(p.dtype(), what);
  const Shape shape = shape_from_proto(p.tensor_shape(), what);
  if (!shape.has_rank()) damaged(what, "a value of unknown rank");
  const std::int64_t count = checked_size(shape, dtype, what);
  if (p.tensor_content().empty() && count > kMaxSplatBytes / byte_size(dtype)) {
    fail(Code::resource_exhausted, what + ": a repeated value of shape " + shape.to_string());
  }
  if (dtype == DType::string) return strings_from_proto(p, shape, count, what);
  // Checked before memory is taken for what the shape says.
  const auto given = static_cast<std::int64_t>(p.tensor_content().size());
  if (given > 0 && count > 0 && given != count * byte_size(dtype)) {
    damaged(what,
            "it has " + std::to_string(given) + " bytes, its shape needs " +
                std::to_string(count * byte_size(dtype)));
  }
  Tensor tensor = TensorImpl::concrete(dtype, shape);
  if (count == 0) return tensor;
  if (given == 0) {
    fill_from_fields(p, tensor);
  } else {
    copy_content(p.tensor_content(), tensor);
  }
  return tensor;
}

}  // namespace weir::io
