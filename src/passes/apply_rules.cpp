#include <algorithm>
#include <optional>

#include "dispatch/call.h"
#include "passes/attributes.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/rules/rule_set.h"

namespace weir::passes {
namespace {

/// Rules applied to one node in a row; no chain of rules is nearly as long.
constexpr int kMaxSteps = 16;

rt::Attr default_attr(const AttrDef& def) {
  if (def.kind == rt::Attr::Kind::string)
    return rt::Attr::string(def.default_string.data(), std::uint32_t(def.default_string.size()));
  if (def.kind == rt::Attr::Kind::ints && !def.is_operand)
    return rt::Attr::int_list(def.default_ints.data(), std::uint32_t(def.default_ints.size()));
  return def.default_value;
}

/// What takes the place of a node: a value that exists, or a node that does not yet.
struct Replacement {
  Ref by;
  std::optional<Node> node;
};

class RuleApplier {
 public:
  RuleApplier(const Graph& graph, Context& context)
      : graph_(graph),
        context_(context),
        rewrite_(graph, context),
        old_uses_(count_uses(graph)),
        uses_(old_uses_) {}

  GraphPtr run() {
    for (int i = 0; i < int(graph_.size()); ++i) {
      if (!visit(i)) rewrite_.keep(i);
      follow_uses(i);
    }
    return rewrite_.finish();
  }

 private:
  static std::vector<int> count_uses(const Graph& g) {
    std::vector<int> count(g.size());
    for (const Node& n : g.nodes()) {
      for (Ref r : n.inputs)
        ++count[std::size_t(r.node)];
    }
    for (Ref r : g.outputs)
      ++count[std::size_t(r.node)];
    return count;
  }

  /// Keeps uses_ by node of the new graph; an upper bound is enough.
  void follow_uses(int i) {
    if (!rewrite_.changed()) return;
    if (!following_) uses_.resize(std::size_t(i));
    following_ = true;
    uses_.resize(rewrite_.graph().size(), old_uses_[std::size_t(i)]);
  }

  bool visit(int i) {
    const Node& old = graph_.node(i);
    if (old.kind != Kind::op || has_operand_attr(old)) return false;
    Match m{rewrite_.graph(), old, {}, {}, {}};
    for (Ref r : old.inputs)
      m.inputs.push_back(rewrite_.at(r));
    std::optional<Replacement> last = step(m);
    if (!last) return false;
    for (int steps = 1; last->node && steps < kMaxSteps; ++steps) {
      Match again{rewrite_.graph(), *last->node, last->node->inputs, {}, {}};
      std::optional<Replacement> next = has_operand_attr(*last->node) ? std::nullopt : step(again);
      if (!next) break;
      last = std::move(next);
    }
    place(i, std::move(*last));
    return true;
  }

  void place(int i, Replacement r) {
    const Node& old = graph_.node(i);
    if (!r.node) {
      rewrite_.replace(i, r.by);
      if (std::size_t(r.by.node) < uses_.size())
        uses_[std::size_t(r.by.node)] += old_uses_[std::size_t(i)];
      context_.removed(
          old, std::string("is, by rule ") + rule_name_ + ", the same as ", rewrite_.name(r.by));
      return;
    }
    r.node->name = old.name;
    context_.made(*r.node, (std::string("was made by rule ") + rule_name_).c_str());
    rewrite_.replace(i, std::move(*r.node));
  }

  std::optional<Replacement> step(Match& m) {
    if (auto r = step_by_trait(m)) return r;
    for (const CompiledRule* rule : RuleSet::get().of(*m.root.op)) {
      if (rule->pattern.kind == Expr::Kind::trait && !m.root.is(rule->pattern.trait)) continue;
      if (rule->rule->numerics == Numerics::rounding && !context_.options().fast) continue;
      if (!match(*rule, m) || !context_.enabled(rule->rule->name)) continue;
      if (auto r = apply(*rule, m)) {
        note(rule->rule->name);
        return r;
      }
    }
    return std::nullopt;
  }

  void note(const char* name) {
    rule_name_ = name;
    context_.count(name);
  }

  /// f(f(x)) is f(x) for an idempotent f, x for an involution; further operands must be the same.
  std::optional<Replacement> step_by_trait(const Match& m) {
    const bool idempotent = m.root.is(Trait::idempotent), involution = m.root.is(Trait::involution);
    if (!(idempotent || involution) || !m.root.is(Trait::elementwise) || m.inputs.empty())
      return std::nullopt;
    const Node& inner = m.node(m.inputs[0]);
    const bool same = inner.op == m.root.op && inner.inputs.size() == m.inputs.size() &&
                      std::equal(m.inputs.begin() + 1, m.inputs.end(), inner.inputs.begin() + 1) &&
                      same_attrs(inner.attrs.view(), m.root.attrs.view());
    const char* name = idempotent ? "idempotent" : "involution";
    if (!same || !context_.enabled(name)) return std::nullopt;
    const Ref by = idempotent ? m.inputs[0] : inner.inputs[0];
    const bool unary = m.inputs.size() == 1;
    if (!unary && !same_shape(m.spec(by).shape, m.root.outputs[0].shape)) return std::nullopt;
    note(name);
    return Replacement{by, std::nullopt};
  }

  std::optional<Replacement> apply(const CompiledRule& rule, const Match& m) {
    if (rule.rule->guard && !rule.rule->guard(m)) return std::nullopt;
    if (!drops_safely(rule, m)) return std::nullopt;
    if (rule.replacement.kind == Expr::Kind::variable) {
      const Ref by = m.variables[std::size_t(rule.replacement.variable)];
      const Spec& spec = m.spec(by);
      const bool fits = spec.dtype == m.root.outputs[0].dtype &&
                        (rule.rule->keeps_shape || same_shape(spec.shape, m.root.outputs[0].shape));
      return fits ? std::optional(Replacement{by, std::nullopt}) : std::nullopt;
    }
    if (added_nodes(rule.replacement) > removed_nodes(rule, m)) return std::nullopt;
    return build(rule, m);
  }

  /// An operand that vanishes might have refused to be broadcast.
  static bool drops_safely(const CompiledRule& rule, const Match& m) {
    for (std::size_t v = 0; v < rule.used.size(); ++v) {
      if (!rule.used[v] && !m.spec(m.variables[v]).shape.is_static()) return false;
    }
    return true;
  }

  static int added_nodes(const Expr& e) {
    int n = e.kind == Expr::Kind::op || e.kind == Expr::Kind::made;
    for (const Expr& a : e.arguments)
      n += added_nodes(a);
    return n;
  }
  int removed_nodes(const CompiledRule& rule, const Match& m) const {
    int n = 1;
    for (int i : m.inner)
      n += uses_[std::size_t(i)] == 1;
    for (std::size_t v = 0; v < rule.used.size(); ++v) {
      const Ref r = m.variables[v];
      n += !rule.used[v] && m.node(r).kind == Kind::constant && uses_[std::size_t(r.node)] == 1;
    }
    return n;
  }

  std::optional<Replacement> build(const CompiledRule& rule, const Match& m) {
    Tensor constant;
    if (rule.rule->constant && !(constant = rule.rule->constant(m)).defined()) return std::nullopt;
    std::optional<Node> root = make_op(rule.replacement, rule, m, constant);
    if (!root || (rule.rule->finish && !rule.rule->finish(m, *root))) return std::nullopt;
    if (!infer_outputs(*root)) return std::nullopt;
    const Spec &now = root->outputs[0], &wanted = m.root.outputs[0];
    if (now.dtype != wanted.dtype || now.shape != wanted.shape) return std::nullopt;
    std::vector<const Node*> from = {&m.root};
    for (int i : m.inner)
      from.push_back(&m.graph.node(i));
    annotate(*root, context_.pass(), from);
    return Replacement{{}, std::move(root)};
  }

  Ref operand(const Expr& e, const CompiledRule& rule, const Match& m, const Tensor& constant) {
    if (e.kind == Expr::Kind::variable || e.kind == Expr::Kind::constant)
      return m.variables[std::size_t(e.variable)];
    const Node* from[] = {&m.root};
    Node n;
    if (e.kind == Expr::Kind::made) {
      n = make_constant(constant, m.root);
    } else {
      auto op = make_op(e, rule, m, constant);
      if (!op || !infer_outputs(*op)) return {};
      n = std::move(*op);
    }
    n.name = m.root.name + "/" + rule.rule->name;
    annotate(n, context_.pass(), from);
    context_.made(n, (std::string("was made by rule ") + rule.rule->name).c_str());
    return rewrite_.add(std::move(n));
  }

  std::optional<Node> make_op(const Expr& e,
                              const CompiledRule& rule,
                              const Match& m,
                              const Tensor& constant) {
    Node n;
    n.op = e.op;
    n.where = m.root.where;
    for (const Expr& a : e.arguments) {
      const Ref r = operand(a, rule, m, constant);
      if (r.node < 0) return std::nullopt;
      n.inputs.push_back(r);
    }
    n.attrs = attributes(*e.op, m);
    return n;
  }

  /// Those of a matched node of the same op, the root first; else the defaults.
  static graph::AttrList attributes(const OpDef& op, const Match& m) {
    if (m.root.op == &op) return m.root.attrs;
    for (int i : m.inner) {
      if (m.graph.node(i).op == &op) return m.graph.node(i).attrs;
    }
    base::SmallVector<rt::Attr, 4> attrs;
    for (const AttrDef& def : op.attrs())
      attrs.push_back(default_attr(def));
    return graph::AttrList(attrs);
  }

  bool infer_outputs(Node& n) const {
    base::SmallVector<SpecView, 4> specs;
    base::SmallVector<const Tensor*, 4> values;
    for (Ref r : n.inputs) {
      const Spec& s = rewrite_.spec(r);
      specs.push_back({s.dtype, s.shape});
      values.push_back(nullptr);
    }
    try {
      for (Spec& s : dispatch::infer(*n.op, specs, n.attrs.view(), values, n.where))
        n.outputs.push_back(std::move(s));
    } catch (const Error&) {
      return false;
    }
    return n.outputs.size() == 1;
  }

  const Graph& graph_;
  Context& context_;
  Rewrite rewrite_;
  std::vector<int> old_uses_, uses_;
  bool following_ = false;
  const char* rule_name_ = "";
};

}  // namespace

GraphPtr apply_rules(const Graph& graph, Context& context) {
  return RuleApplier(graph, context).run();
}

}  // namespace weir::passes
