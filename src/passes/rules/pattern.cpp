#include "passes/rules/pattern.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "tensor/convert.h"

namespace weir::passes {
namespace {

struct NamedTrait {
  std::string_view name;
  Trait trait;
};
constexpr NamedTrait kTraits[] = {{"view", Trait::view}, {"elementwise", Trait::elementwise}};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

class Parser {
 public:
  Parser(const Rule& rule, std::vector<std::string>& variables)
      : rule_(rule), variables_(variables) {}

  /// False: an op is not registered.
  bool parse(const char* text, bool is_pattern, Expr& out) {
    rest_ = text;
    is_pattern_ = is_pattern;
    out = expression();
    if (!rest_.empty()) fail("text after the expression");
    return known_;
  }

 private:
  Expr expression() {
    Expr e;
    const char first = peek();
    if (first == '#') {
      rest_.remove_prefix(1);
      const std::string_view name = word();
      e.kind = name == "new" ? Expr::Kind::made : Expr::Kind::constant;
      if (e.kind == Expr::Kind::constant) e.variable = variable(name);
    } else if (first == '<') {
      trait(e);
    } else if (first >= 'A' && first <= 'Z') {
      operation(e);
    } else {
      leaf(e, word());
    }
    return e;
  }

  void operation(Expr& e) {
    e.kind = Expr::Kind::op;
    e.op = find_op(word());
    known_ = known_ && e.op;
    arguments(e);
  }

  void trait(Expr& e) {
    e.kind = Expr::Kind::trait;
    rest_.remove_prefix(1);
    const std::string_view name = word();
    for (const NamedTrait& t : kTraits) {
      if (t.name == name) e.trait = t.trait;
    }
    if (e.trait == Trait::none) fail("unknown trait");
    expect('>');
    arguments(e);
  }

  void leaf(Expr& e, std::string_view name) {
    if (name.empty()) fail("an operand is missing");
    const char first = name[0];
    if (name == "true" || name == "false") {
      e.kind = Expr::Kind::number;
      e.number = name == "true" ? 1 : 0;
    } else if (first == '-' || (first >= '0' && first <= '9')) {
      e.kind = Expr::Kind::number;
      e.number = std::strtod(std::string(name).c_str(), nullptr);
    } else {
      e.variable = variable(name);
    }
  }

  void arguments(Expr& e) {
    expect('(');
    do
      e.arguments.push_back(expression());
    while (accept(','));
    expect(')');
  }

  int variable(std::string_view name) {
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i] == name) return int(i);
    }
    if (!is_pattern_) fail("a variable of the replacement is not in the pattern");
    variables_.emplace_back(name);
    return int(variables_.size()) - 1;
  }

  char peek() {
    while (!rest_.empty() && rest_[0] == ' ')
      rest_.remove_prefix(1);
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool accept(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "'");
  }
  std::string_view word() {
    std::size_t n = 0;
    while (n < rest_.size() && is_word(rest_[n]))
      ++n;
    const std::string_view w = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return w;
  }
  [[noreturn]] void fail(std::string what) {
    throw Error({Code::internal,
                 std::string("rule ") + rule_.name + ": " + std::move(what),
                 {},
                 std::string(rest_),
                 {},
                 {}});
  }

  const Rule& rule_;
  std::vector<std::string>& variables_;
  std::string_view rest_;
  bool is_pattern_ = true;
  bool known_ = true;
};

void note_variables(const Expr& e, std::vector<bool>& used) {
  if (e.kind == Expr::Kind::variable || e.kind == Expr::Kind::constant)
    used[std::size_t(e.variable)] = true;
  for (const Expr& a : e.arguments)
    note_variables(a, used);
}

/// Every element is `number`, bit for bit.
bool is_all(const Tensor& t, double number) {
  if (t.dtype() == DType::string || t.size() == 0) return false;
  const std::size_t unit = std::size_t(byte_size(t.dtype()));
  alignas(16) char expected[16] = {};
  const bool whole = std::abs(number) < 0x1p53 && number == std::trunc(number);
  tensor::store(expected,
                t.dtype(),
                {whole && !std::signbit(number), whole ? std::int64_t(number) : 0, number, 0});
  if (tensor::load(expected, t.dtype()).re != number) return false;
  const auto* p = static_cast<const char*>(t.raw_data());
  if (std::memcmp(p, expected, unit) != 0) return false;
  return std::memcmp(p, p + unit, unit * std::size_t(t.size() - 1)) == 0;
}

/// What a failed match leaves behind in `m` is undefined.
class Matcher {
 public:
  explicit Matcher(Match& m) : m_(m) {}

  bool arguments(const Expr& e, const Node& n, std::span<const Ref> inputs) {
    if (inputs.size() != e.arguments.size()) return false;
    if (inputs.size() != 2 || !n.is(Trait::commutative)) return in_order(e, inputs);
    const Saved before = save();
    if (in_order(e, inputs)) return true;
    restore(before);
    const Ref exchanged[] = {inputs[1], inputs[0]};
    return in_order(e, exchanged);
  }

 private:
  struct Saved {
    base::SmallVector<Ref, 4> variables;
    std::size_t inner;
  };
  Saved save() const { return {m_.variables, m_.inner.size()}; }
  void restore(const Saved& s) {
    m_.variables = s.variables;
    m_.inner.resize(s.inner);
  }

  bool in_order(const Expr& e, std::span<const Ref> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!one(e.arguments[i], inputs[i])) return false;
    }
    return true;
  }

  bool bind(int variable, Ref r) {
    Ref& bound = m_.variables[std::size_t(variable)];
    if (bound.node < 0) bound = r;
    return bound == r;
  }

  bool one(const Expr& e, Ref r) {
    const Node& n = m_.node(r);
    switch (e.kind) {
      case Expr::Kind::variable:
        return bind(e.variable, r);
      case Expr::Kind::constant:
        return n.kind == Kind::constant && bind(e.variable, r);
      case Expr::Kind::number:
        if (n.kind != Kind::constant || !is_all(n.value, e.number)) return false;
        m_.inner.push_back(r.node);
        return true;
      case Expr::Kind::op:
      case Expr::Kind::trait:
        if (n.kind != Kind::op || (e.kind == Expr::Kind::op ? n.op != e.op : !n.is(e.trait)))
          return false;
        m_.inner.push_back(r.node);
        return arguments(e, n, n.inputs);
      case Expr::Kind::made:
        return false;
    }
    return false;
  }

  Match& m_;
};

}  // namespace

bool compile(const Rule& rule, CompiledRule& out) {
  std::vector<std::string> variables;
  Parser parser(rule, variables);
  out.rule = &rule;
  const bool pattern_known = parser.parse(rule.pattern, true, out.pattern);
  const bool all_known = parser.parse(rule.replacement, false, out.replacement) && pattern_known;
  out.variables = int(variables.size());
  out.used.assign(variables.size(), false);
  note_variables(out.replacement, out.used);
  return all_known;
}

bool match(const CompiledRule& rule, Match& m) {
  m.variables.clear();
  m.variables.resize(std::size_t(rule.variables));
  m.inner.clear();
  if (!Matcher(m).arguments(rule.pattern, m.root, m.inputs)) return false;
  const Ref first = m.variables[0];
  return rule.rule->types.contains(m.spec(first).dtype);
}

}  // namespace weir::passes
