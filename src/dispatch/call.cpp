#include "dispatch/call.h"

#include <weir/variable.h>

#include <algorithm>

#include "dispatch/registry.h"
#include "tensor/convert.h"
#include "tensor/specs.h"
#include "tensor/tensor_impl.h"

namespace weir::dispatch {
namespace {

constexpr std::size_t kFew = 6;

/// The operands as tensors. Variables are read, scalars have adopted a dtype; those values are
/// owned here.
struct Resolved {
  base::SmallVector<const Tensor*, kFew> tensors;
  base::SmallVector<Tensor, kFew> owned;
  std::uint32_t stealable = 0;

  /// Keeps a value of one of `n` operands, which does not move.
  const Tensor& own(std::size_t n, Tensor value) {
    owned.reserve(n);
    return owned.emplace_back(std::move(value));
  }
};

std::string describe(DTypeSet set) {
  std::string text;
  for (int i = 1; i < 32; ++i) {
    if (is_valid(DType(i)) && set.contains(DType(i)))
      text += (text.empty() ? "" : ", ") + std::string(name(DType(i)));
  }
  return text;
}

void check_arity(const OpDef& op, std::size_t own, std::source_location where) {
  const std::size_t defined = op.input_defs().size();
  if (op.variadic() ? own + 1 > defined : own == defined) return;
  fail(op,
       where,
       "wrong number of operands",
       std::to_string(own),
       (op.variadic() ? "at least " : "") + std::to_string(defined));
}

/// Binds the type parameters to the dtypes of the operands that are not scalars; a scalar adopts
/// afterwards.
class TypeBinder {
 public:
  TypeBinder(const OpDef& op, std::span<const rt::Attr> attrs, std::source_location where)
      : op_(op), defs_(op.input_defs().data()), last_(op.input_defs().size() - 1), where_(where) {
    for (std::size_t p = 0; p < op.types().size(); ++p) {
      const int attr = op.types()[p].attr;
      if (attr >= 0) bound_[p] = attrs[std::size_t(attr)].t;
      if (attr >= 0 && !op.types()[p].allowed.contains(bound_[p]))
        fail(op,
             where_,
             "attribute " + op.attrs()[std::size_t(attr)].name +
                 " is a dtype that the op does not have",
             name(bound_[p]),
             "one of " + describe(op.types()[p].allowed));
    }
  }

  void bind(std::size_t i, DType got) {
    const OperandDef& def = operand(i);
    if (def.type < 0) {
      if (got != def.dtype) refuse(def, got, name(def.dtype));
      return;
    }
    DType& bound = bound_[def.type];
    if (bound == got) return;
    if (bound != DType::invalid) refuse_mix(def, got, bound);
    const DTypeSet allowed = op_.types()[std::size_t(def.type)].allowed;
    if (!allowed.contains(got)) refuse(def, got, "one of " + describe(allowed));
    bound = got;
  }

  /// What a scalar operand must become: the bound dtype, else TensorFlow's reading of the literal.
  DType adopt(std::size_t i, const Scalar& s) {
    const OperandDef& def = operand(i);
    if (def.type < 0) return def.dtype;
    if (bound_[def.type] == DType::invalid)
      bind(i, literal_dtype(s, op_.types()[std::size_t(def.type)].allowed));
    return bound_[def.type];
  }

  DType output(const OperandDef& def) const { return def.type < 0 ? def.dtype : bound_[def.type]; }

 private:
  static DType literal_dtype(const Scalar& s, DTypeSet allowed) {
    switch (s.kind) {
      case Scalar::Kind::boolean:
        return DType::boolean;
      case Scalar::Kind::integer: {
        if (!allowed.contains(DType::int32) && allowed.contains(DType::float32))
          return DType::float32;
        if (s.beyond_int64()) return DType::uint64;
        return s.i == std::int32_t(s.i) ? DType::int32 : DType::int64;
      }
      case Scalar::Kind::real:
        return DType::float32;
      case Scalar::Kind::complex:
        return DType::complex128;
    }
    return DType::float32;
  }
  const OperandDef& operand(std::size_t i) const { return defs_[std::min(i, last_)]; }
  [[noreturn]] void refuse_mix(const OperandDef& def, DType got, DType bound) const {
    fail(op_,
         where_,
         "operands have different dtypes",
         def.name + " " + name(got) + " where " + name(bound) + " came first",
         "one dtype",
         std::string("convert one explicitly: weir::cast(") + def.name + ", DType::" + name(bound) +
             ")");
  }
  [[noreturn]] void refuse(const OperandDef& def, DType got, const std::string& expected) const {
    fail(op_,
         where_,
         "operand " + def.name + " has a dtype that the op does not take",
         name(got),
         expected);
  }

  const OpDef& op_;
  const OperandDef* defs_;
  std::size_t last_;  // whose definition stands for all further ones
  std::source_location where_;
  DType bound_[kMaxTypes] = {};
};

bool is_symbolic(const Operand& o) {
  return !o.is_scalar() && o.kind() != Operand::Kind::variable && o.tensor().defined() &&
         o.tensor().is_symbolic();
}

/// A variable is read by the handler that will see the call: that of a symbolic operand first.
Tensor read_variable(const Operand& variable, std::span<const Operand> operands) {
  const auto other = std::find_if(operands.begin(), operands.end(), is_symbolic);
  if (other == operands.end()) return variable.variable().value(variable.where());
  const Tensor* t = &other->tensor();
  HandlerScope scope(handler_for({&t, 1}, variable.where(), ""));
  return variable.variable().value(variable.where());
}

/// Scalars become tensors of the dtype that the others have bound.
void adopt_scalars(const OpDef& op,
                   std::span<const Operand> operands,
                   std::size_t n,
                   TypeBinder& types,
                   Resolved& r) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Operand& o = operands[i];
    if (!o.is_scalar()) continue;
    try {
      r.tensors[i] = &r.own(n, tensor::adopt_scalar(o.scalar(), types.adopt(i, o.scalar())));
    } catch (const Error& e) {
      if (e.info().what.starts_with(op.name())) throw;
      fail(op, o.where(), e.info().what, e.info().got, e.info().expected, e.info().fix);
    }
  }
}

void resolve(const OpDef& op,
             std::span<const Operand> operands,
             std::size_t own,
             TypeBinder& types,
             Resolved& r) {
  const std::size_t n = operands.size();
  bool scalars = false;
  r.tensors.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Operand& o = operands[i];
    const Tensor* t = nullptr;
    if (o.is_scalar()) {
      scalars = true;
    } else if (o.kind() == Operand::Kind::variable) {
      t = &r.own(n, read_variable(o, operands));
    } else {
      t = &o.tensor();
      if (o.kind() == Operand::Kind::temporary && i < 32) r.stealable |= 1u << i;
    }
    r.tensors.push_back(t);
    if (!t) continue;
    if (!t->defined())
      fail(op, o.where(), "operand " + std::to_string(i) + " is an undefined tensor");
    if (i < own) types.bind(i, t->impl()->dtype());
  }
  if (scalars) adopt_scalars(op, operands.first(own), n, types, r);
}

/// Static operands that have a value become attributes; the others stay operands, renumbered.
/// Returns how many stay.
struct StaticOperands {
  base::SmallVector<rt::Attr, 8> attrs;
  std::vector<std::vector<std::int64_t>> storage;
};

void check_static(const OpDef& op,
                  const AttrDef& def,
                  const Tensor& t,
                  std::source_location where) {
  const bool matrix = def.columns > 0 && t.rank() == 2 && (t.dim(1) == def.columns || t.dim(1) < 0);
  const bool shape_ok = t.rank() == 0 || (t.rank() == 1 && !def.scalar) || matrix;
  if (is_integer(t.dtype()) && (shape_ok || !t.impl()->shape().has_rank())) return;
  fail(op,
       where,
       "static operand " + def.name + " must be integers",
       t.describe(),
       def.scalar ? "an integer scalar" : "an integer vector or scalar");
}

void fold_static_operands(const OpDef& op,
                          std::source_location where,
                          std::size_t own,
                          Resolved& r,
                          std::span<const rt::Attr> attrs,
                          StaticOperands& out) {
  out.attrs = base::SmallVector<rt::Attr, 8>(attrs);
  std::size_t kept = own;
  for (std::size_t a = 0; a < attrs.size(); ++a) {
    if (attrs[a].kind != rt::Attr::Kind::operand) continue;
    const Tensor* operand = r.tensors[std::size_t(attrs[a].i)];
    check_static(op, op.attrs()[a], *operand, where);
    if (const Tensor* value = tensor::known_value(*operand)) {
      out.storage.push_back(tensor::integers(*value));
      out.attrs[a] =
          rt::Attr::int_list(out.storage.back().data(), std::uint32_t(out.storage.back().size()));
    } else {
      r.tensors[kept] = operand;
      out.attrs[a] = rt::Attr::operand(std::int64_t(kept++));
    }
  }
  r.tensors.resize(kept);
}

std::size_t own_operands(std::span<const Operand> operands, std::span<const rt::Attr> attrs) {
  std::size_t dynamic = 0;
  for (const rt::Attr& a : attrs)
    dynamic += a.kind == rt::Attr::Kind::operand;
  return operands.size() - dynamic;
}

void check_string_attrs(const OpDef& op,
                        std::span<const rt::Attr> attrs,
                        std::source_location where) {
  for (std::size_t a = 0; a < attrs.size(); ++a) {
    const AttrDef& def = op.attrs()[a];
    if (def.choices.empty() || attrs[a].kind != rt::Attr::Kind::string) continue;
    const std::string got(attrs[a].s, attrs[a].count);
    if (std::find(def.choices.begin(), def.choices.end(), got) != def.choices.end()) continue;
    std::string expected;
    for (const std::string& c : def.choices)
      expected += (expected.empty() ? "" : ", ") + c;
    fail(op,
         where,
         "attribute " + def.name + " has an unknown value",
         "'" + got + "'",
         "one of " + expected);
  }
}

/// What no op may produce: more axes than a tensor has, or more bytes than 63 bits count.
void check_outputs(const OpDef& op, std::source_location where, std::span<const Spec> outputs) {
  for (const Spec& s : outputs) {
    if (s.shape.rank() > kMaxRank)
      fail(op, where, "too many dimensions", std::to_string(s.shape.rank()), "at most 254");
    std::int64_t bytes = byte_size(s.dtype);
    for (Dim d : s.shape.dims()) {
      if (d.known() && d.value() > 0 && __builtin_mul_overflow(bytes, d.value(), &bytes))
        fail(op, where, "the result is too large", s.describe(), "fewer than 2^63 bytes");
    }
  }
}

void run_infer(const OpDef& op,
               const Resolved& r,
               std::span<const rt::Attr> attrs,
               std::source_location where,
               std::span<Spec> outputs) {
  base::SmallVector<SpecView, kFew> specs;
  base::SmallVector<const Tensor*, kFew> values;
  bool ranked = true;
  for (const Tensor* t : r.tensors) {
    specs.push_back(t->impl()->spec());
    values.push_back(t->impl()->is_symbolic() ? tensor::known_value(*t) : t);
    ranked = ranked && t->impl()->shape().has_rank();
  }
  if (!ranked) {
    for (Spec& s : outputs)
      s.shape = Shape::unknown_rank();
    return;
  }
  InferContext context(op, specs, attrs, values, outputs, where);
  op.infer_fn()(context);
  check_outputs(op, where, outputs);
}

void set_dtypes(const OpDef& op, const TypeBinder& types, std::span<Spec> outputs) {
  std::size_t next = 0;
  for (const OperandDef& def : op.output_defs()) {
    const std::size_t count = def.variadic ? outputs.size() - (op.output_defs().size() - 1) : 1;
    for (std::size_t i = 0; i < count; ++i)
      outputs[next++].dtype = types.output(def);
  }
}

}  // namespace

void fail(const OpDef& op,
          std::source_location where,
          std::string what,
          std::string got,
          std::string expected,
          std::string fix,
          Code code) {
  ErrorInfo e;
  e.code = code;
  e.what = op.name() + ": " + std::move(what);
  e.where = to_string(where);
  if (!current_name_scope().empty()) e.where += ", in scope \"" + current_name_scope() + "\"";
  e.got = std::move(got);
  e.expected = std::move(expected);
  e.fix = std::move(fix);
  throw Error(e);
}

void call(const OpDef& op,
          std::span<const Operand> operands,
          std::span<const rt::Attr> attrs,
          std::span<Tensor> results,
          std::source_location own_line) {
  const std::source_location where = called_from(operands.empty() ? own_line : operands[0].where());
  const std::size_t own = own_operands(operands, attrs);
  check_arity(op, own, where);
  check_string_attrs(op, attrs, where);

  Resolved r;
  TypeBinder types(op, attrs, where);
  resolve(op, operands, own, types, r);
  StaticOperands statics;
  if (own != operands.size()) {
    fold_static_operands(op, where, own, r, attrs, statics);
    attrs = statics.attrs;
  }

  base::SmallVector<Spec, 2> outputs(results.size());
  set_dtypes(op, types, outputs);
  run_infer(op, r, attrs, where, outputs);

  Invocation invocation{op, r.tensors, attrs, outputs, where, r.stealable};
  Handler& handler = handler_for(r.tensors, where, op.name().c_str());
  if (!active_recorders().empty()) {
    drop_abandoned_recorders();
    invocation.stealable = 0;
  }
  handler.run(invocation, results);
  for (Recorder* recorder : active_recorders())
    recorder->record(invocation, results);
}

std::vector<Spec> infer(const OpDef& op,
                        std::span<const SpecView> inputs,
                        std::span<const rt::Attr> attrs,
                        std::span<const Tensor* const> values,
                        std::source_location where) {
  TypeBinder types(op, attrs, where);
  const std::size_t own =
      inputs.size() - std::size_t(std::count_if(attrs.begin(), attrs.end(), [](const rt::Attr& a) {
        return a.kind == rt::Attr::Kind::operand;
      }));
  check_arity(op, own, where);
  check_string_attrs(op, attrs, where);
  bool ranked = true;
  for (std::size_t i = 0; i < own; ++i)
    types.bind(i, inputs[i].dtype);
  for (const SpecView& s : inputs)
    ranked = ranked && s.shape.has_rank();
  std::vector<Spec> outputs(std::size_t(op.output_count(attrs)));
  set_dtypes(op, types, outputs);
  if (!ranked) {
    for (Spec& s : outputs)
      s.shape = Shape::unknown_rank();
    return outputs;
  }
  InferContext context(op, inputs, attrs, values, outputs, where);
  op.infer_fn()(context);
  check_outputs(op, where, outputs);
  return outputs;
}

OperandScope::OperandScope(const OperandList& operands) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Operand o = operands[i];
    if (!is_symbolic(o)) continue;
    const Tensor* t = &o.tensor();
    scope_.emplace(handler_for({&t, 1}, o.where(), ""));
    return;
  }
}

CallBuilder& CallBuilder::ints(const Ints& ints) {
  if (where_.line() == 0) where_ = ints.where();
  if (ints.tensor()) {
    dynamic_.emplace_back(attrs_.size(), ints.tensor());
    attrs_.emplace_back();
  } else if (ints.present()) {
    attrs_.push_back(rt::Attr::int_list(ints.values().data(), std::uint32_t(ints.values().size())));
  } else if (const AttrDef& def = op_.attrs()[attrs_.size()]; !def.is_operand || !def.has_default) {
    attrs_.push_back(
        rt::Attr::int_list(nullptr, 0));  // `reshape(x, {})`: an empty list, not an absent one
  } else {
    attrs_.emplace_back();
  }
  return *this;
}

/// Operands that carry static operands follow the op's own.
void CallBuilder::place_dynamic() {
  for (auto [attr, tensor] : dynamic_) {
    attrs_[attr] = rt::Attr::operand(std::int64_t(operands_.size()));
    operands_.push_back(Operand(*tensor));
  }
  dynamic_.clear();
}

Tensor CallBuilder::one() {
  Tensor result;
  into({&result, 1});
  return result;
}

std::vector<Tensor> CallBuilder::many() {
  std::vector<Tensor> results(std::size_t(op_.output_count(attrs_)));
  into(results);
  return results;
}

void CallBuilder::into(std::span<Tensor> results) {
  place_dynamic();
  // Files hold float32: a saved graph gives the same bits.
  for (rt::Attr& a : attrs_) {
    if (a.kind == rt::Attr::Kind::real) a.f = double(float(a.f));
  }
  call(op_, operands_, attrs_, results, where_);
}

}  // namespace weir::dispatch

namespace weir::inline v0 {

Ints::Ints(std::span<const std::int64_t> v, Where where) : present_(true), where_(where) {
  if (v.size() <= std::size(few_)) {
    count_ = std::uint32_t(v.size());
    std::copy(v.begin(), v.end(), few_);
  } else {
    many_.assign(v.begin(), v.end());
  }
}

Ints::Ints(std::initializer_list<std::initializer_list<std::int64_t>> rows, Where where) {
  std::vector<std::int64_t> flat;
  for (const auto& row : rows)
    flat.insert(flat.end(), row.begin(), row.end());
  *this = Ints(flat, where);
}

Ints::Ints(const Shape& shape, Where where)
    : Ints(std::span<const std::int64_t>(shape.to_vector()), where) {}

Tensor Operand::to_tensor() const {
  switch (kind_) {
    case Kind::tensor:
    case Kind::temporary:
      return *tensor_;
    case Kind::variable:
      return variable_->value(where_);
    case Kind::scalar:
      break;
  }
  const Scalar& s = scalar_;
  const DType dtype = s.kind == Scalar::Kind::boolean   ? DType::boolean
                      : s.kind == Scalar::Kind::real    ? DType::float32
                      : s.kind == Scalar::Kind::complex ? DType::complex128
                      : s.beyond_int64()                ? DType::uint64
                      : s.i == std::int32_t(s.i)        ? DType::int32
                                                        : DType::int64;
  return tensor::adopt_scalar(s, dtype);
}

namespace {

const char* word(rt::Attr::Kind kind) {
  static constexpr const char* kWords[] = {
      "none", "integer", "real", "boolean", "dtype", "ints", "reals", "string", "operand"};
  return kWords[std::size_t(kind)];
}

/// An attribute that a caller made by hand: the kind that the definition wants, or the number of an
/// operand behind the op's own.
void check_attr(const OpDef& op,
                const AttrDef& def,
                const rt::Attr& a,
                const OperandList& operands,
                std::source_location where) {
  using Kind = rt::Attr::Kind;
  if (a.kind == def.kind && (a.kind != Kind::dtype || is_valid(a.t))) return;
  if (a.kind == Kind::none && def.has_default) return;
  const auto own = std::int64_t(op.input_defs().size()) - op.variadic();
  if (a.kind == Kind::operand && def.is_operand && a.i >= own &&
      a.i < std::int64_t(operands.size()) && !operands[std::size_t(a.i)].is_scalar())
    return;
  dispatch::fail(op,
                 where,
                 "attribute " + def.name + " has another kind",
                 a.kind == Kind::operand
                     ? "operand " + std::to_string(a.i) + " of " + std::to_string(operands.size())
                     : word(a.kind),
                 word(def.kind));
}

}  // namespace

std::vector<Tensor> call_op(const OpDef& op,
                            OperandList operands,
                            std::initializer_list<rt::Attr> attrs) {
  const std::source_location where = operands.size() ? operands[0].where() : std::source_location{};
  if (attrs.size() > op.attrs().size())
    dispatch::fail(op,
                   where,
                   "more attributes than the op has",
                   std::to_string(attrs.size()),
                   std::to_string(op.attrs().size()));
  dispatch::CallBuilder call(op);
  call.operands(operands);
  std::size_t given = 0;
  for (const rt::Attr& a : attrs) {
    check_attr(op, op.attrs()[given++], a, operands, where);
    call.attr(a);
  }
  for (; given < op.attrs().size(); ++given) {
    const AttrDef& def = op.attrs()[given];
    if (!def.has_default) dispatch::fail(op, where, "missing attribute " + def.name);
    if (def.kind == rt::Attr::Kind::string) {
      call.string(def.default_string);
    } else if (def.kind == rt::Attr::Kind::ints && !(def.is_operand && def.default_ints.empty())) {
      call.attr(
          rt::Attr::int_list(def.default_ints.data(), std::uint32_t(def.default_ints.size())));
    } else {
      call.attr(def.default_value);
    }
  }
  return call.many();
}

}  // namespace weir::inline v0
