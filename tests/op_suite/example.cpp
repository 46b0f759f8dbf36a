#include "op_suite/example.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "tensor/convert.h"
#include "tensor/tensor_impl.h"

namespace weir::op_suite {
namespace {

[[noreturn]] void fail(const std::string& text,
                       const std::string& what,
                       const std::string& got,
                       const std::string& expected) {
  throw Error({Code::invalid_argument, "example \"" + text + "\": " + what, {}, got, expected, {}});
}

template <class T>
T number(const std::string& text, const std::string& word) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size())
    fail(text, "not a number", word, "a number");
  return value;
}

template <class T>
std::vector<T> numbers(const std::string& text, const std::string& list) {
  std::vector<T> values;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');)
    values.push_back(number<T>(text, word));
  return values;
}

/// What stands between the brackets of "[a,b]".
std::string inside(const std::string& text, const std::string& word) {
  if (word.size() < 2 || word.front() != '[' || word.back() != ']')
    fail(text, "not a list", word, "[a,b,...]");
  return word.substr(1, word.size() - 2);
}

ExampleInput parse_input(const std::string& text, const std::string& word) {
  ExampleInput in;
  const std::size_t open = word.find('['), close = word.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open)
    fail(text, "an input without shape", word, "dtype[dims]:low..high");
  if (open > 0) in.dtype = parse_dtype(word.substr(0, open));
  in.shape = Shape(numbers<std::int64_t>(text, inside(text, word.substr(open, close - open + 1))));
  const std::string rest = word.substr(close + 1);
  if (rest.empty()) return in;
  in.simplex = rest == ":simplex";
  in.permutation = rest == ":permutation";
  in.dominant = rest == ":dominant";
  if (in.simplex || in.permutation || in.dominant) {
    in.has_range = true;
    in.high = 1;
    return in;
  }
  const std::size_t dots = rest.find("..");
  if (rest[0] != ':' || dots == std::string::npos) fail(text, "not a range", rest, ":low..high");
  in.has_range = true;
  in.low = number<double>(text, rest.substr(1, dots - 1));
  in.high = number<double>(text, rest.substr(dots + 2));
  if (in.low > in.high) fail(text, "an empty range", rest, "low <= high");
  return in;
}

/// The splitmix64 generator.
struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  double unit() { return double(next() >> 11) * 0x1p-53; }
};

struct Range {
  double low, high;
};

Range range_of(const ExampleInput& in, DType dtype) {
  Range r{in.low, in.high};
  if (!in.has_range) r = is_integer(dtype) ? Range{-9, 9} : Range{-2, 2};
  if (!is_integer(dtype)) return r;
  const int bits = bit_width(dtype);
  const bool is_unsigned = is_unsigned_integer(dtype);
  const double least = is_unsigned ? 0 : -std::ldexp(1.0, bits - 1);
  const double most = std::ldexp(1.0, is_unsigned ? bits : bits - 1) - 1;
  r.low = std::clamp(std::ceil(r.low), least, most);
  r.high = std::max(r.low, std::min(std::floor(r.high), most));
  return r;
}

Tensor make_strings(const Shape& shape, Random& random) {
  std::vector<std::string> owned;
  for (std::int64_t i = 0; i < shape.size(); ++i)
    owned.push_back(std::string(random.next() % 40, char('a' + random.next() % 26)));
  return Tensor::strings({owned.begin(), owned.end()}, shape);
}

Tensor make_input(const ExampleInput& in, DType dtype, Random random) {
  if (dtype == DType::string) return make_strings(in.shape, random);
  Tensor t = Tensor::zeros(in.shape, dtype);
  auto* p = static_cast<char*>(t.impl()->data());
  const Range r = range_of(in, dtype);
  for (std::int64_t i = 0; i < t.size(); ++i, p += byte_size(dtype)) {
    tensor::Number n;
    if (is_integer(dtype) || dtype == DType::boolean) {
      n.integer = true;
      const auto span = std::uint64_t(r.high - r.low) + 1;
      n.i = dtype == DType::boolean ? std::int64_t(random.next() >> 63)
                                    : std::int64_t(r.low) + std::int64_t(random.next() % span);
      n.re = double(n.i);
    } else {
      n.re = r.low + random.unit() * (r.high - r.low);
      n.im = is_complex(dtype) ? r.low + random.unit() * (r.high - r.low) : 0;
    }
    tensor::store(p, dtype, n);
  }
  return t;
}

void make_rows_sum_to_one(const Tensor& t) {
  const DType dtype = t.dtype();
  const std::int64_t n = t.rank() > 0 ? t.dim(-1) : 1;
  auto* p = static_cast<char*>(t.impl()->data());
  for (std::int64_t row = 0; row * n < t.size(); ++row) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i)
      sum += tensor::load(p + (row * n + i) * byte_size(dtype), dtype).re;
    for (std::int64_t i = 0; i < n; ++i) {
      char* element = p + (row * n + i) * byte_size(dtype);
      tensor::store(element, dtype, {false, 0, tensor::load(element, dtype).re / sum, 0});
    }
  }
}

void make_permutation(const Tensor& t, Random random) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < t.size(); ++i)
    order.insert(order.begin() + std::int64_t(random.next() % std::uint64_t(i + 1)), i);
  auto* p = static_cast<char*>(t.impl()->data());
  for (std::int64_t i = 0; i < t.size(); ++i)
    tensor::store(p + i * byte_size(t.dtype()),
                  t.dtype(),
                  {true, order[std::size_t(i)], double(order[std::size_t(i)]), 0});
}

void make_dominant(const Tensor& t) {
  const std::int64_t n = t.dim(-1);
  auto* p = static_cast<char*>(t.impl()->data());
  for (std::int64_t row = 0; row * n < t.size(); ++row) {
    char* element = p + (row * n + row % n) * byte_size(t.dtype());
    tensor::store(
        element, t.dtype(), {false, 0, tensor::load(element, t.dtype()).re + double(n), 0});
  }
}

const OperandDef& operand_of(const OpDef& op, std::size_t i) {
  return op.input_defs()[std::min(i, op.input_defs().size() - 1)];
}

DType first_choice(DTypeSet set) {
  for (DType t : {DType::float32, DType::int32, DType::int64, DType::boolean}) {
    if (set.contains(t)) return t;
  }
  for (int i = 1; i < 32; ++i) {
    if (is_valid(DType(i)) && set.contains(DType(i))) return DType(i);
  }
  return DType::invalid;
}

}  // namespace

DType parse_dtype(const std::string& word) {
  static constexpr std::pair<const char*, DType> kShort[] = {{"f16", DType::float16},
                                                             {"bf16", DType::bfloat16},
                                                             {"f32", DType::float32},
                                                             {"f64", DType::float64},
                                                             {"i8", DType::int8},
                                                             {"i16", DType::int16},
                                                             {"i32", DType::int32},
                                                             {"i64", DType::int64},
                                                             {"u8", DType::uint8},
                                                             {"u16", DType::uint16},
                                                             {"u32", DType::uint32},
                                                             {"u64", DType::uint64},
                                                             {"b", DType::boolean},
                                                             {"c64", DType::complex64},
                                                             {"c128", DType::complex128},
                                                             {"str", DType::string}};
  for (auto [text, dtype] : kShort) {
    if (word == text) return dtype;
  }
  for (int i = 1; i < 32; ++i) {
    if (is_valid(DType(i)) && word == name(DType(i))) return DType(i);
  }
  fail(word, "not a dtype", word, "f32, i64, float32 ...");
}

Example parse_example(const std::string& text) {
  Example e{text, {}, {}};
  std::istringstream words(text);
  bool attrs = false;
  for (std::string word; words >> word;) {
    if (word == ";") {
      if (attrs) fail(text, "a second ';'", "", "one");
      attrs = true;
    } else if (!attrs) {
      e.inputs.push_back(parse_input(text, word));
    } else {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos || equals == 0)
        fail(text, "not an attribute", word, "name=value");
      e.attrs.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  return e;
}

Attributes::Attributes(const OpDef& op, const Example& example) {
  for (const AttrDef& def : op.attrs())
    attrs_.push_back(fallback(def, example));
  for (const auto& [name, value] : example.attrs) {
    const int i = op.attr_index(name);
    if (i < 0)
      fail(example.text,
           "the op has no attribute of this name",
           name,
           "an attribute of " + op.name());
    try {
      attrs_[std::size_t(i)] = parse(op.attrs()[std::size_t(i)], value);
    } catch (const Error& e) {
      fail(example.text, "attribute " + name + ": " + e.info().what, value, e.info().expected);
    }
  }
}

rt::Attr Attributes::fallback(const AttrDef& def, const Example& example) const {
  const bool given = std::any_of(example.attrs.begin(), example.attrs.end(), [&](const auto& a) {
    return a.first == def.name;
  });
  if (given) return {};
  if (!def.has_default)
    fail(example.text, "missing attribute", def.name, "a value, for it has no default");
  if (def.kind == rt::Attr::Kind::string)
    return rt::Attr::string(def.default_string.data(), std::uint32_t(def.default_string.size()));
  if (def.kind == rt::Attr::Kind::ints && !(def.is_operand && def.default_ints.empty()))
    return rt::Attr::int_list(def.default_ints.data(), std::uint32_t(def.default_ints.size()));
  rt::Attr value = def.default_value;
  if (def.kind == rt::Attr::Kind::real) value.f = double(float(value.f));
  return value;
}

rt::Attr Attributes::parse(const AttrDef& def, const std::string& value) {
  switch (def.kind) {
    case rt::Attr::Kind::boolean:
      if (value != "true" && value != "false") fail(value, "not a bool", value, "true or false");
      return rt::Attr::boolean(value == "true");
    case rt::Attr::Kind::integer:
      return rt::Attr::integer(number<std::int64_t>(value, value));
    case rt::Attr::Kind::real:
      return rt::Attr::real(double(number<float>(value, value)));  // as the API rounds it
    case rt::Attr::Kind::dtype:
      return rt::Attr::dtype(parse_dtype(value));
    case rt::Attr::Kind::ints: {
      const std::string list = value.starts_with("[") ? inside(value, value) : value;
      const auto& v = ints_.emplace_back(numbers<std::int64_t>(value, list));
      return rt::Attr::int_list(v.data(), std::uint32_t(v.size()));
    }
    case rt::Attr::Kind::reals: {
      const auto& v = reals_.emplace_back(numbers<double>(value, inside(value, value)));
      return rt::Attr::real_list(v.data(), std::uint32_t(v.size()));
    }
    default: {
      const std::string& s = strings_.emplace_back(value);
      return rt::Attr::string(s.data(), std::uint32_t(s.size()));
    }
  }
}

std::vector<Variant> variants(const OpDef& op,
                              const Example& example,
                              std::span<const rt::Attr> attrs) {
  std::vector<DType> base;
  std::vector<bool> free;
  for (const TypeParam& p : op.types()) {
    base.push_back(p.attr >= 0 ? attrs[std::size_t(p.attr)].t : first_choice(p.allowed));
    free.push_back(p.attr < 0);
  }
  for (std::size_t i = 0; i < example.inputs.size(); ++i) {
    const OperandDef& def = operand_of(op, i);
    if (def.type < 0 || example.inputs[i].dtype == DType::invalid) continue;
    base[std::size_t(def.type)] = example.inputs[i].dtype;
    free[std::size_t(def.type)] = false;
  }
  const auto inputs_for = [&](const std::vector<DType>& types) {
    Variant v;
    for (std::size_t i = 0; i < example.inputs.size(); ++i) {
      const OperandDef& def = operand_of(op, i);
      v.push_back(def.type < 0 ? def.dtype : types[std::size_t(def.type)]);
    }
    return v;
  };
  std::vector<Variant> list{inputs_for(base)};
  for (std::size_t p = 0; p < free.size(); ++p) {
    for (int t = 1; free[p] && t < 32; ++t) {
      if (!is_valid(DType(t)) || !op.types()[p].allowed.contains(DType(t))) continue;
      std::vector<DType> types = base;
      types[p] = DType(t);
      Variant v = inputs_for(types);
      if (std::find(list.begin(), list.end(), v) == list.end()) list.push_back(std::move(v));
    }
  }
  return list;
}

std::vector<Tensor> make_inputs(const Example& example,
                                const Variant& variant,
                                std::uint64_t seed) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < example.inputs.size(); ++i) {
    inputs.push_back(make_input(example.inputs[i], variant[i], Random{seed * 1000 + i}));
    if (example.inputs[i].simplex) make_rows_sum_to_one(inputs.back());
    if (example.inputs[i].dominant) make_dominant(inputs.back());
    if (example.inputs[i].permutation) make_permutation(inputs.back(), Random{seed + i});
  }
  return inputs;
}

}  // namespace weir::op_suite
