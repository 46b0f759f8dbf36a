#pragma once

/// Rewrite rules as data: a pattern of ops, and what computes the same for less.
///
///   {.name = "mul_one", .pattern = "Mul(x, 1)", .replacement = "x", .types = kReal}
///
/// A pattern is written with the ops' registry names. `x`: any value, the same one wherever it
/// stands. `#c`: any constant. `1`, `-0`, `true`: a constant all of whose elements are that number,
/// bit for bit. `<view>`: any op of that trait. The two operands of a commutative op match in both
/// orders. A node whose static operands are not all known matches nothing. In a replacement, `#new`
/// is the constant that `constant` computes; an op that also stands in the pattern takes its
/// attributes, any other the defaults.
///
/// What the engine checks, so that no rule need: the replacement has the same dtype and, for every
/// input of the graph, the same shape; the number of nodes does not rise. What a rule must see to:
/// the same bits, for -0, denormals, infinities and NaN with either sign too (signalling NaN
/// excepted), or `numerics` says otherwise; and no error that depends on data is lost.

#include <span>

#include "passes/pass.h"

namespace weir::passes {

enum class Numerics : std::uint8_t {
  exact,     // the same bits
  rounding,  // other bits: applied only if Options::fast
};

/// A pattern that has been found.
struct Match {
  const Graph& graph;
  const Node& root;                     // may not be part of the graph yet
  base::SmallVector<Ref, 3> inputs;     // of the root
  base::SmallVector<Ref, 4> variables;  // in order of appearance in the pattern
  base::SmallVector<int, 4> inner;      // matched nodes below the root, in order of appearance

  const Node& node(Ref r) const { return graph.node(r.node); }
  /// The i-th matched op below the root.
  const Node& below(int i) const { return graph.node(inner[std::size_t(i)]); }
  const Spec& spec(Ref r) const { return graph.spec(r); }
};

struct Rule {
  const char* name;
  const char* pattern;
  const char* replacement;
  /// Dtypes of the pattern's first variable.
  DTypeSet types = kAnyType;
  Numerics numerics = Numerics::exact;
  /// What the pattern cannot say.
  bool (*guard)(const Match& match) = nullptr;
  /// Sets attributes of the replacement's root; false: the rule does not apply after all.
  bool (*finish)(const Match& match, Node& root) = nullptr;
  /// The value of `#new`; undefined: the rule does not apply after all.
  Tensor (*constant)(const Match& match) = nullptr;
  /// The first variable always has the shape of the root, also where the graph does not say so.
  bool keeps_shape = false;
};

std::span<const Rule> arithmetic_rules();
std::span<const Rule> logic_rules();
std::span<const Rule> cast_rules();
std::span<const Rule> layout_rules();
std::span<const Rule> contraction_rules();
/// All of them.
std::vector<const Rule*> all_rules();

}  // namespace weir::passes
