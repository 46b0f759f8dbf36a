#pragma once

#include <mutex>
#include <unordered_map>

#include "passes/rules/pattern.h"

namespace weir::passes {

/// The rules whose ops are registered, parsed once, by the op of their root.
class RuleSet {
 public:
  static const RuleSet& get();
  std::span<const CompiledRule* const> of(const OpDef& op) const;

 private:
  RuleSet();
  using List = std::vector<const CompiledRule*>;
  List list_for(const OpDef& op) const;

  std::vector<CompiledRule> rules_;
  List for_any_;  // whose root is a trait
  mutable std::mutex mutex_;
  mutable std::unordered_map<const OpDef*, List> by_op_;  // those asked for; never changed
};

}  // namespace weir::passes
