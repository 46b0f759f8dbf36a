#pragma once

/// The text of a rule, parsed: see rule.h for the grammar.

#include <string>
#include <vector>

#include "passes/rules/rule.h"

namespace weir::passes {

struct Expr {
  enum class Kind : std::uint8_t { variable, constant, number, op, trait, made };
  Kind kind = Kind::variable;
  int variable = 0;             // variable, constant: its number in order of appearance
  double number = 0;            // number; its sign bit counts
  const OpDef* op = nullptr;    // op
  Trait trait = Trait::none;    // trait
  std::vector<Expr> arguments;  // op, trait
};

/// A rule whose ops are all registered.
struct CompiledRule {
  const Rule* rule;
  Expr pattern, replacement;
  int variables = 0;       // in the pattern
  std::vector<bool> used;  // by variable: stands in the replacement
};

/// Throws Error (internal) naming the rule if its text is wrong; false if it names an op that this
/// program lacks.
bool compile(const Rule& rule, CompiledRule& out);

/// Finds `rule.pattern` at a node with these inputs.
bool match(const CompiledRule& rule, Match& m);

}  // namespace weir::passes
