#include "io/npy/npy_header.h"

#include <charconv>

#include "io/file/file.h"

namespace weir::io {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 64 << 10;
constexpr std::size_t kMaxRank = 64;  // NumPy's own limit
constexpr std::size_t kAlignment = 64;

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 40))
    out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > 40 ? out + "..." : out;
}

// Reads the Python literal of a header: a dictionary of strings, booleans and tuples of integers.
class Literal {
 public:
  Literal(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  bool accept(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "'");
  }

  void expect_end() {
    skip_space();
    if (!text_.empty()) fail("expected the end");
  }

  std::string_view string() {
    skip_space();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) fail("expected a string");
    const std::size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) fail("a string does not end");
    const std::string_view value = text_.substr(1, end - 1);
    if (value.find('\\') != std::string_view::npos) fail("a string with escapes");
    text_.remove_prefix(end + 1);
    return value;
  }

  bool boolean() {
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      skip_space();
      if (text_.substr(0, word.size()) != word) continue;
      text_.remove_prefix(word.size());
      return value;
    }
    fail("expected True or False");
  }

  std::int64_t integer() {
    skip_space();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc()) fail("expected a number below 2^63");
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    accept('L');  // Python 2 wrote long numbers so
    return value;
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(integer());
      if (values.size() > kMaxRank) fail("more than 64 dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  [[noreturn]] void fail(const std::string& what) {
    throw_npy_error(
        Code::data_loss, name_, "damaged header: " + what + " at \"" + printable(text_) + "\"");
  }

 private:
  void skip_space() {
    const std::size_t start = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(start == std::string_view::npos ? text_.size() : start);
  }

  std::string_view text_;
  const std::string& name_;
};

// "<f4": byte order, kind, size.
void parse_descr(std::string_view descr, const std::string& name, NpyHeader* header) {
  const auto unsupported = [&] {
    throw_npy_error(Code::unimplemented, name, "elements of type '" + printable(descr) + "'");
  };
  const std::string_view orders = "<>=|";
  if (descr.size() < 2 || orders.find(descr[0]) == std::string_view::npos) unsupported();
  header->big_endian = descr[0] == '>';
  header->kind = descr[1];
  std::int64_t size = 0;
  const char* last = descr.data() + descr.size();
  const auto [end, error] = std::from_chars(descr.data() + 2, last, size);
  if (error != std::errc() || end != last || size < 0 || size > INT32_MAX) unsupported();
  header->item_size = header->kind == 'U' ? 4 * size : size;
}

void check_sizes(const std::string& name, NpyHeader* header) {
  std::int64_t count = 1;
  bool overflow = false;
  bool empty = false;
  for (const std::int64_t size : header->shape) {
    if (size < 0) throw_npy_error(Code::data_loss, name, "a dimension is negative");
    empty = empty || size == 0;
    overflow = overflow || __builtin_mul_overflow(count, size == 0 ? 1 : size, &count);
  }
  std::int64_t bytes = 0;
  overflow = overflow || __builtin_mul_overflow(count, header->item_size, &bytes);
  if (overflow) throw_npy_error(Code::data_loss, name, "its shape has more than 2^63 bytes");
  header->count = empty ? 0 : count;
}

NpyHeader parse_dictionary(std::string_view text, const std::string& name) {
  NpyHeader header;
  Literal literal(text, name);
  bool descr = false;
  bool order = false;
  bool shape = false;
  literal.expect('{');
  while (!literal.accept('}')) {
    const std::string_view key = literal.string();
    literal.expect(':');
    bool* seen = key == "descr" ? &descr : key == "fortran_order" ? &order : &shape;
    if (*seen || (seen == &shape && key != "shape")) literal.fail("an unexpected key");
    *seen = true;
    if (seen == &descr) {
      if (literal.accept('[')) {
        throw_npy_error(Code::unimplemented, name, "structured elements");
      }
      parse_descr(literal.string(), name, &header);
    } else if (seen == &order) {
      header.fortran_order = literal.boolean();
    } else {
      header.shape = literal.tuple();
    }
    if (!literal.accept(',')) {
      literal.expect('}');
      break;
    }
  }
  literal.expect_end();
  if (!descr || !order || !shape) literal.fail("descr, fortran_order or shape is missing");
  check_sizes(name, &header);
  return header;
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::string format_tuple(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

void append_little_endian(std::size_t value, std::size_t bytes, std::string* out) {
  for (std::size_t i = 0; i < bytes; ++i) {
    out->push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  }
}

}  // namespace

void throw_npy_error(Code code, const std::string& name, const std::string& what) {
  fail(code, "cannot read '" + name + "': " + what);
}

NpyHeader parse_npy_header(std::string_view file, const std::string& name) {
  if (file.substr(0, kMagic.size()) != kMagic) {
    throw_npy_error(Code::data_loss, name, "not a .npy file (it does not begin with \\x93NUMPY)");
  }
  const std::string_view cut_off = "the header is cut off";
  if (file.size() < 10) throw_npy_error(Code::data_loss, name, std::string(cut_off));
  const int version = static_cast<unsigned char>(file[6]);
  if (version < 1 || version > 3) {
    throw_npy_error(Code::unimplemented, name, ".npy version " + std::to_string(version));
  }
  const std::size_t width = version == 1 ? 2 : 4;
  const std::size_t start = 8 + width;
  if (file.size() < start) throw_npy_error(Code::data_loss, name, std::string(cut_off));
  const std::size_t length = little_endian(file.substr(8, width));
  if (length > kMaxHeader) throw_npy_error(Code::data_loss, name, "a header of more than 64 KiB");
  if (length > file.size() - start) throw_npy_error(Code::data_loss, name, std::string(cut_off));
  NpyHeader header = parse_dictionary(file.substr(start, length), name);
  header.data_offset = start + length;
  return header;
}

std::string format_npy_header(std::string_view descr, const std::vector<std::int64_t>& shape) {
  std::string text = "{'descr': '" + std::string(descr) +
                     "', 'fortran_order': False, 'shape': " + format_tuple(shape) + ", }";
  const bool long_header = text.size() + kAlignment > 0xffff;
  const std::size_t width = long_header ? 4 : 2;
  const std::size_t unpadded = kMagic.size() + 2 + width + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ').push_back('\n');
  std::string header(kMagic);
  header.push_back(long_header ? '\2' : '\1');
  header.push_back('\0');
  append_little_endian(text.size(), width, &header);
  return header + text;
}

}  // namespace weir::io
