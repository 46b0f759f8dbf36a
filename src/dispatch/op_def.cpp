#include <weir/op_def.h>

#include <algorithm>

namespace weir::inline v0 {
namespace {

using Kind = rt::Attr::Kind;

std::uint32_t bits_of(std::initializer_list<int> indices) {
  std::uint32_t bits = 0;
  for (int i : indices)
    bits |= std::uint32_t{1} << std::min(i, 31);
  return bits;
}

}  // namespace

OpDef& OpDef::api(std::string function, std::string family) {
  api_ = std::move(function);
  family_ = std::move(family);
  return *this;
}
OpDef& OpDef::doc(std::string text) {
  doc_ = std::move(text);
  return *this;
}
OpDef& OpDef::since(int version) {
  since_ = version;
  return *this;
}
OpDef& OpDef::type(std::string name, DTypeSet allowed) {
  types_.push_back({std::move(name), allowed, -1});
  return *this;
}
OpDef& OpDef::type_attr(std::string type_name,
                        DTypeSet allowed,
                        std::string attr_name,
                        DType default_value) {
  types_.push_back({std::move(type_name), allowed, int(attrs_.size())});
  AttrDef& a = add_attr(std::move(attr_name), Kind::dtype);
  a.has_default = default_value != DType::invalid;
  if (a.has_default) a.default_value = rt::Attr::dtype(default_value);
  return *this;
}

int OpDef::type_index(const std::string& name) const {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (types_[i].name == name) return int(i);
  }
  throw Error({Code::internal,
               name_ + ": no type parameter " + name,
               {},
               {},
               {},
               "declare it with .type first"});
}

OpDef& OpDef::input(std::string name, std::string type) {
  params_.push_back({false, int(inputs_.size())});
  inputs_.push_back({std::move(name), type_index(type), DType::invalid, false, {}});
  return *this;
}
OpDef& OpDef::input(std::string name, DType dtype) {
  params_.push_back({false, int(inputs_.size())});
  inputs_.push_back({std::move(name), -1, dtype, false, {}});
  return *this;
}
OpDef& OpDef::inputs(std::string name, std::string type, std::string count_attr) {
  params_.push_back({false, int(inputs_.size())});
  inputs_.push_back(
      {std::move(name), type_index(type), DType::invalid, true, std::move(count_attr)});
  return *this;
}
OpDef& OpDef::output(std::string name, std::string type) {
  outputs_.push_back({std::move(name), type_index(type), DType::invalid, false, {}});
  return *this;
}
OpDef& OpDef::output(std::string name, DType dtype) {
  outputs_.push_back({std::move(name), -1, dtype, false, {}});
  return *this;
}
OpDef& OpDef::outputs(std::string name, std::string type, std::string count_attr) {
  outputs_.push_back(
      {std::move(name), type_index(type), DType::invalid, true, std::move(count_attr)});
  return *this;
}

AttrDef& OpDef::add_attr(std::string name, Kind kind) {
  params_.push_back({true, int(attrs_.size())});
  AttrDef a;
  a.name = std::move(name);
  a.kind = kind;
  attrs_.push_back(std::move(a));
  return attrs_.back();
}

OpDef& OpDef::attr(std::string name, bool default_value) {
  AttrDef& a = add_attr(std::move(name), Kind::boolean);
  a.has_default = true;
  a.default_value = rt::Attr::boolean(default_value);
  return *this;
}
OpDef& OpDef::attr(std::string name, std::int64_t default_value) {
  AttrDef& a = add_attr(std::move(name), Kind::integer);
  a.has_default = true;
  a.default_value = rt::Attr::integer(default_value);
  return *this;
}
OpDef& OpDef::attr(std::string name, double default_value) {
  AttrDef& a = add_attr(std::move(name), Kind::real);
  a.has_default = true;
  a.default_value = rt::Attr::real(default_value);
  return *this;
}
OpDef& OpDef::attr(std::string name, const char* default_value, std::vector<std::string> choices) {
  AttrDef& a = add_attr(std::move(name), Kind::string);
  a.has_default = true;
  a.default_string = default_value;
  a.choices = std::move(choices);
  return *this;
}
OpDef& OpDef::attr(std::string name, std::vector<std::int64_t> default_value) {
  AttrDef& a = add_attr(std::move(name), Kind::ints);
  a.has_default = true;
  a.default_ints = std::move(default_value);
  return *this;
}
OpDef& OpDef::attr(std::string name, Kind kind) {
  add_attr(std::move(name), kind);
  return *this;
}
OpDef& OpDef::static_operand(std::string name, StaticOperand o) {
  AttrDef& a = add_attr(std::move(name), Kind::ints);
  a.is_operand = true;
  a.has_default = o.optional || !o.default_value.empty();
  a.default_ints = std::move(o.default_value);
  a.input = o.input;
  a.scalar = o.scalar;
  a.columns = o.columns;
  a.operand_dtype = o.dtype;
  a.type_attr = std::move(o.type_attr);
  a.when_absent = o.when_absent;
  return *this;
}
OpDef& OpDef::stored_as(std::string name, std::string stored) {
  stored_.emplace_back(std::move(name), std::move(stored));
  return *this;
}
OpDef& OpDef::traits(Trait t) {
  traits_ = traits_ | t;
  return *this;
}
OpDef& OpDef::example(std::string text) {
  examples_.push_back(std::move(text));
  return *this;
}
OpDef& OpDef::infer(InferFn fn) {
  infer_ = fn;
  return *this;
}
OpDef& OpDef::gradient(GradientFn fn) {
  gradient_ = fn;
  return *this;
}
OpDef& OpDef::saves_input(std::initializer_list<int> inputs) {
  saved_inputs_ |= bits_of(inputs);
  return *this;
}
OpDef& OpDef::saves_output(std::initializer_list<int> outputs) {
  saved_outputs_ |= bits_of(outputs);
  return *this;
}
OpDef& OpDef::decompose(DecomposeFn fn) {
  decompose_ = fn;
  return *this;
}
OpDef& OpDef::cost(CostFn fn) {
  cost_ = fn;
  return *this;
}
OpDef& OpDef::alias(AliasFn fn) {
  alias_ = fn;
  return *this;
}
OpDef& OpDef::may_share(int out, int in) {
  share_.emplace_back(out, in);
  return *this;
}

int OpDef::attr_index(std::string_view name) const {
  for (std::size_t i = 0; i < attrs_.size(); ++i) {
    if (attrs_[i].name == name) return int(i);
  }
  return -1;
}

const std::string& OpDef::stored_name(const std::string& name) const {
  for (const auto& [ours, stored] : stored_) {
    if (ours == name) return stored;
  }
  return name;
}

int OpDef::output_count(std::span<const rt::Attr> attrs) const {
  int n = 0;
  for (const OperandDef& o : outputs_) {
    if (!o.variadic) {
      ++n;
    } else {
      const int index = attr_index(o.count_attr);
      const rt::Attr& count = attrs[std::size_t(index)];
      n += count.kind == Kind::ints ? int(count.count)
                                    : int(std::clamp<std::int64_t>(count.i, 0, 1 << 20));
    }
  }
  return n;
}

int OpDef::shared_input(int out) const {
  for (auto [o, i] : share_) {
    if (o == out) return i;
  }
  return -1;
}

}  // namespace weir::inline v0
