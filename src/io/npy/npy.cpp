#include "io/npy/npy.h"

#include <weir/npy.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "io/file/file.h"
#include "io/npy/npy_header.h"
#include "tensor/tensor_impl.h"

namespace weir {
namespace io {
namespace {

struct Descr {
  DType dtype;
  char kind;
  std::int64_t item_size;
  const char* text;
};

// NumPy's names of the dtypes. "V2" is what ml_dtypes writes for bfloat16.
constexpr Descr kDescrs[] = {
    {DType::float32, 'f', 4, "<f4"},
    {DType::float64, 'f', 8, "<f8"},
    {DType::float16, 'f', 2, "<f2"},
    {DType::bfloat16, 'V', 2, "<V2"},
    {DType::int8, 'i', 1, "|i1"},
    {DType::int16, 'i', 2, "<i2"},
    {DType::int32, 'i', 4, "<i4"},
    {DType::int64, 'i', 8, "<i8"},
    {DType::uint8, 'u', 1, "|u1"},
    {DType::uint16, 'u', 2, "<u2"},
    {DType::uint32, 'u', 4, "<u4"},
    {DType::uint64, 'u', 8, "<u8"},
    {DType::boolean, 'b', 1, "|b1"},
    {DType::complex64, 'c', 8, "<c8"},
    {DType::complex128, 'c', 16, "<c16"},
};

const Descr* descr_of(const NpyHeader& header) {
  for (const Descr& descr : kDescrs) {
    if (descr.kind == header.kind && descr.item_size == header.item_size) return &descr;
  }
  return nullptr;
}

// Calls body(i, j) with every element's place in row-major order and in Fortran order.
template <class Body>
void for_each_place(const std::vector<std::int64_t>& shape, std::int64_t count, Body body) {
  std::vector<std::int64_t> stride(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d)
    stride[d] = stride[d - 1] * shape[d - 1];
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t source = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    body(i, source);
    for (std::size_t d = shape.size(); d-- > 0;) {
      source += stride[d];
      if (++index[d] < shape[d]) break;
      source -= stride[d] * shape[d];
      index[d] = 0;
    }
  }
}

// The elements in row-major, little-endian form.
std::string normalised(const NpyHeader& header, std::string_view payload) {
  std::string bytes(payload);
  const auto item = static_cast<std::size_t>(header.item_size);
  if (header.fortran_order && header.shape.size() > 1) {
    for_each_place(header.shape, header.count, [&](std::int64_t to, std::int64_t from) {
      std::memcpy(bytes.data() + static_cast<std::size_t>(to) * item,
                  payload.data() + static_cast<std::size_t>(from) * item,
                  item);
    });
  }
  // A complex number is two numbers, a UTF-32 text many.
  const std::size_t word = header.kind == 'c' ? item / 2 : header.kind == 'U' ? 4 : item;
  if (header.big_endian && word > 1 && header.kind != 'S' && header.kind != 'V') {
    for (std::size_t at = 0; at + word <= bytes.size(); at += word) {
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                   bytes.begin() + static_cast<std::ptrdiff_t>(at + word));
    }
  }
  return bytes;
}

void append_utf8(char32_t c, std::string* out) {
  const auto add = [&](char32_t bits) { out->push_back(static_cast<char>(bits)); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xc0 | (c >> 6));
  } else if (c < 0x10000) {
    add(0xe0 | (c >> 12));
    add(0x80 | ((c >> 6) & 0x3f));
  } else {
    add(0xf0 | (c >> 18));
    add(0x80 | ((c >> 12) & 0x3f));
    add(0x80 | ((c >> 6) & 0x3f));
  }
  add(0x80 | (c & 0x3f));
}

std::string utf8_of(std::string_view utf32, const std::string& name) {
  std::string text;
  for (std::size_t i = 0; i + 4 <= utf32.size(); i += 4) {
    char32_t c = 0;
    std::memcpy(&c, utf32.data() + i, 4);
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
      throw_npy_error(Code::data_loss, name, "a character that is not Unicode");
    }
    append_utf8(c, &text);
  }
  return text;
}

Tensor string_tensor(const NpyHeader& header, std::string_view bytes, const std::string& name) {
  const auto item = static_cast<std::size_t>(header.item_size);
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < header.count; ++i) {
    const std::string_view cell = bytes.substr(static_cast<std::size_t>(i) * item, item);
    std::string text = header.kind == 'U' ? utf8_of(cell, name) : std::string(cell);
    text.resize(text.find_last_not_of('\0') + 1);
    texts.push_back(std::move(text));
  }
  return Tensor::strings({texts.begin(), texts.end()}, Shape(header.shape));
}

Tensor plain_tensor(const NpyHeader& header, DType dtype, const std::string& bytes) {
  const Shape shape(header.shape);
  Tensor tensor = TensorImpl::concrete(dtype, shape);
  if (!bytes.empty()) std::memcpy(tensor.impl()->data(), bytes.data(), bytes.size());
  return tensor;
}

// A bool of another value than 0 and 1 is undefined behaviour for whoever reads it.
void make_booleans(std::string* bytes) {
  for (char& c : *bytes)
    c = c != 0;
}

std::string format_strings(const Tensor& tensor) {
  const std::span<const StringView> texts = tensor.data<StringView>();
  std::size_t width = 1;
  for (const std::string_view text : texts) {
    if (!text.empty() && text.back() == '\0') {
      fail(Code::invalid_argument,
           "save_npy: a string ends in a zero byte",
           "NumPy's format drops such bytes; store the bytes as uint8");
    }
    width = std::max(width, text.size());
  }
  std::string file = format_npy_header("|S" + std::to_string(width), tensor.shape().to_vector());
  for (const std::string_view text : texts)
    file.append(text).append(width - text.size(), '\0');
  return file;
}

}  // namespace

Tensor parse_npy(std::string_view file, const std::string& name) {
  const NpyHeader header = parse_npy_header(file, name);
  const bool text = header.kind == 'S' || header.kind == 'U';
  const Descr* descr = descr_of(header);
  if (descr == nullptr && !text) {
    throw_npy_error(Code::unimplemented,
                    name,
                    std::string("elements of kind '") + header.kind + "' and " +
                        std::to_string(header.item_size) + " bytes");
  }
  const std::string_view payload = file.substr(header.data_offset);
  const auto wanted = static_cast<std::size_t>(header.count * header.item_size);
  // Strings of no bytes take no room, so the file's size does not bound their number.
  if (payload.size() != wanted || (text && header.item_size == 0 && header.count > (1 << 20))) {
    throw_npy_error(Code::data_loss,
                    name,
                    "its header says " + std::to_string(wanted) + " bytes of elements, it has " +
                        std::to_string(payload.size()));
  }
  std::string bytes = normalised(header, payload);
  if (text) return string_tensor(header, bytes, name);
  if (descr->dtype == DType::boolean) make_booleans(&bytes);
  return plain_tensor(header, descr->dtype, bytes);
}

std::string format_npy(const Tensor& tensor) {
  if (tensor.dtype() == DType::string) return format_strings(tensor);
  const auto* descr = std::find_if(std::begin(kDescrs), std::end(kDescrs), [&](const Descr& d) {
    return d.dtype == tensor.dtype();
  });
  std::string file = format_npy_header(descr->text, tensor.shape().to_vector());
  const auto* data = static_cast<const char*>(tensor.raw_data());
  return file.append(data, static_cast<std::size_t>(tensor.nbytes()));
}

}  // namespace io

inline namespace v0 {

Tensor load_npy(const std::string& path) {
  return io::parse_npy(io::read_file(path), path);
}

void save_npy(const std::string& path, const Tensor& tensor) {
  io::write_file(path, io::format_npy(tensor));
}

}  // namespace v0
}  // namespace weir
