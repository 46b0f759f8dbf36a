#pragma once

#include "passes/rules/pattern.h"

namespace weir::passes {

/// The rules whose ops are registered, parsed once, by the op of their root.
class RuleSet {
 public:
  static const RuleSet& get();
  std::span<const CompiledRule* const> of(const OpDef& op) const;

 private:
  RuleSet();
  std::vector<CompiledRule> rules_;
  std::vector<std::vector<const CompiledRule*>> by_op_;  // by id of the op
  std::vector<const CompiledRule*> for_any_;             // whose root is a trait
};

}  // namespace weir::passes
