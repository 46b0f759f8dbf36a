#include "passes/rules/rule_set.h"

#include <algorithm>

namespace weir::passes {

const RuleSet& RuleSet::get() {
  static const RuleSet set;
  return set;
}

RuleSet::RuleSet() {
  for (const Rule* rule : all_rules()) {
    CompiledRule compiled;
    if (compile(*rule, compiled)) rules_.push_back(std::move(compiled));
  }
  std::size_t ops = 0;
  for (const CompiledRule& r : rules_) {
    if (r.pattern.op) ops = std::max(ops, std::size_t(r.pattern.op->id()) + 1);
  }
  by_op_.resize(ops);
  for (const CompiledRule& r : rules_) {
    if (r.pattern.op) {
      by_op_[std::size_t(r.pattern.op->id())].push_back(&r);
    } else {
      for_any_.push_back(&r);
    }
  }
  // An op's own rules come before those of its traits.
  for (auto& list : by_op_)
    list.insert(list.end(), for_any_.begin(), for_any_.end());
}

std::span<const CompiledRule* const> RuleSet::of(const OpDef& op) const {
  const std::size_t id = std::size_t(op.id());
  return id < by_op_.size() ? by_op_[id] : for_any_;
}

}  // namespace weir::passes
