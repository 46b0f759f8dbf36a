#include "tensor/print.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>

#include "tensor/convert.h"
#include "tensor/float_format.h"
#include "tensor/tensor_impl.h"

namespace weir::tensor {
namespace {

constexpr std::int64_t kThreshold = 1000;
constexpr std::int64_t kEdge = 3;
constexpr std::size_t kLineWidth = 75;

/// How the elements of one tensor are written, with a common width.
class Format {
 public:
  virtual ~Format() = default;
  virtual std::string operator()(const void* element) const = 0;
};

using Elements = std::vector<const void*>;

class RealFormat final : public Format {
 public:
  RealFormat(const Elements& shown, DType dtype)
      : dtype_(dtype), format_(values(shown, dtype), dtype) {}
  std::string operator()(const void* p) const override { return format_(load(p, dtype_).re); }

 private:
  static std::vector<double> values(const Elements& shown, DType dtype) {
    std::vector<double> list;
    for (const void* p : shown)
      list.push_back(load(p, dtype).re);
    return list;
  }
  DType dtype_;
  FloatFormat format_;
};

class ComplexFormat final : public Format {
 public:
  ComplexFormat(const Elements& shown, DType dtype)
      : dtype_(dtype),
        real_(part(shown, dtype, false), dtype),
        imag_(part(shown, dtype, true), dtype, true) {}
  std::string operator()(const void* p) const override {
    const Number n = load(p, dtype_);
    std::string imag = imag_(n.im);
    imag.insert(imag.find_last_not_of(' ') + 1, "j");
    return real_(n.re) + imag;
  }

 private:
  static std::vector<double> part(const Elements& shown, DType dtype, bool imaginary) {
    std::vector<double> list;
    for (const void* p : shown)
      list.push_back(imaginary ? load(p, dtype).im : load(p, dtype).re);
    return list;
  }
  DType dtype_;
  FloatFormat real_, imag_;
};

std::string integer_text(const void* p, DType dtype) {
  const std::int64_t i = load(p, dtype).i;
  return dtype == DType::uint64 ? std::to_string(std::uint64_t(i)) : std::to_string(i);
}

class IntegerFormat final : public Format {
 public:
  IntegerFormat(const Elements& shown, DType dtype) : dtype_(dtype) {
    for (const void* p : shown)
      width_ = std::max(width_, integer_text(p, dtype).size());
  }
  std::string operator()(const void* p) const override {
    const std::string text = integer_text(p, dtype_);
    return std::string(width_ - text.size(), ' ') + text;
  }

 private:
  DType dtype_;
  std::size_t width_ = 0;
};

class BoolFormat final : public Format {
 public:
  std::string operator()(const void* p) const override {
    return load(p, DType::boolean).i ? " True" : "False";
  }
};

class StringFormat final : public Format {
 public:
  std::string operator()(const void* p) const override {
    return bytes_repr(*static_cast<const StringView*>(p));
  }
};

std::unique_ptr<Format> make_format(DType dtype, const Elements& shown) {
  if (dtype == DType::string) return std::make_unique<StringFormat>();
  if (dtype == DType::boolean) return std::make_unique<BoolFormat>();
  if (is_complex(dtype)) return std::make_unique<ComplexFormat>(shown, dtype);
  if (is_floating(dtype)) return std::make_unique<RealFormat>(shown, dtype);
  return std::make_unique<IntegerFormat>(shown, dtype);
}

std::string complex_text(const Number& n, DType dtype) {
  const std::string imag = scalar_text(n.im, dtype, true) + "j";
  if (n.re == 0 && !std::signbit(n.re)) return imag;
  const bool signed_imag = imag[0] == '-';
  return "(" + scalar_text(n.re, dtype, true) + (signed_imag ? "" : "+") + imag + ")";
}

std::string scalar(const void* p, DType dtype) {
  if (dtype == DType::string) return bytes_repr(*static_cast<const StringView*>(p));
  if (dtype == DType::boolean) return load(p, dtype).i ? "True" : "False";
  if (is_complex(dtype)) return complex_text(load(p, dtype), dtype);
  if (is_floating(dtype)) return scalar_text(load(p, dtype).re, dtype);
  return integer_text(p, dtype);
}

/// Lays the elements out in brackets and lines.
class Layout {
 public:
  explicit Layout(const Tensor& t)
      : t_(t), summarise_(t.size() > kThreshold), data_(static_cast<const char*>(t.raw_data())) {
    Elements shown;
    collect(0, 0, shown);
    format_ = make_format(t.dtype(), shown);
  }
  std::string text() const { return block(0, 0, " ", kLineWidth); }

 private:
  std::int64_t dim(int axis) const { return t_.impl()->shape()[axis].value(); }
  bool skips(int axis) const { return summarise_ && dim(axis) > 2 * kEdge; }
  const void* element(std::int64_t index) const { return data_ + index * byte_size(t_.dtype()); }
  std::int64_t next(int axis, std::int64_t i) const {
    return skips(axis) && i == kEdge - 1 ? dim(axis) - kEdge : i + 1;
  }

  void collect(int axis, std::int64_t index, Elements& shown) const {
    if (axis == t_.rank()) return shown.push_back(element(index));
    for (std::int64_t i = 0; i < dim(axis); i = next(axis, i))
      collect(axis + 1, index * dim(axis) + i, shown);
  }

  /// Appends a word, on a new line where the width would be exceeded and that helps.
  static void extend(std::string& text,
                     std::string& line,
                     const std::string& word,
                     std::size_t width,
                     const std::string& indent) {
    if (line.size() + word.size() > width && line.size() > indent.size()) {
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
      line = indent;
    }
    line += word;
  }

  std::string row(int axis,
                  std::int64_t index,
                  const std::string& indent,
                  std::size_t width) const {
    std::string text, line = indent;
    const std::int64_t n = dim(axis);
    for (std::int64_t i = 0; i < n; i = next(axis, i)) {
      extend(text, line, (*format_)(element(index * n + i)), width - 1, indent);
      if (i == n - 1) break;
      line += " ";
      if (skips(axis) && i == kEdge - 1) {
        extend(text, line, "...", width - 1, indent);
        line += " ";
      }
    }
    return text + line;
  }

  std::string block(int axis,
                    std::int64_t index,
                    const std::string& indent,
                    std::size_t width) const {
    std::string text;
    if (axis == t_.rank() - 1) {
      text = row(axis, index, indent, width);
    } else {
      const std::string separator(std::size_t(t_.rank() - 1 - axis), '\n');
      const std::int64_t n = dim(axis);
      for (std::int64_t i = 0; i < n; i = next(axis, i)) {
        text += indent + block(axis + 1, index * n + i, indent + " ", width - 1) +
                (i == n - 1 ? "" : separator);
        if (skips(axis) && i == kEdge - 1) text += indent + "..." + separator;
      }
    }
    return "[" + text.substr(indent.size()) + "]";
  }

  const Tensor& t_;
  bool summarise_;
  const char* data_;
  std::unique_ptr<Format> format_;
};

char escape_of(char c) {
  return c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c == '\\' ? '\\' : '\0';
}

}  // namespace

// Source: CPython, bytes_repr: double quotes only where single ones would need escapes and double
// ones would not.
std::string bytes_repr(std::string_view bytes) {
  const bool single = bytes.find('\'') != std::string_view::npos;
  const char quote = single && bytes.find('"') == std::string_view::npos ? '"' : '\'';
  constexpr char kHex[] = "0123456789abcdef";
  std::string text = {'b', quote};
  for (char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    if (const char e = escape_of(c)) {
      (text += '\\') += e;
    } else if (c == quote) {
      (text += '\\') += c;
    } else if (u < 32 || u > 126) {
      ((text += "\\x") += kHex[u >> 4]) += kHex[u & 15];
    } else {
      text += c;
    }
  }
  return text + quote;
}

std::string format(const Tensor& t) {
  if (t.rank() == 0) return scalar(t.raw_data(), t.dtype());
  return t.size() == 0 ? "[]" : Layout(t).text();
}

}  // namespace weir::tensor

namespace weir::inline v0 {

std::string Tensor::to_string() const {
  if (!p_) return "<undefined>";
  if (!is_symbolic()) return tensor::format(*this);
  return "Tensor(\"" + p_->source()->name(p_->node(), p_->output()) +
         "\", shape=" + shape().to_string() + ", dtype=" + weir::name(dtype()) + ")";
}

std::ostream& operator<<(std::ostream& os, const Tensor& t) {
  return os << t.to_string();
}

}  // namespace weir::inline v0
