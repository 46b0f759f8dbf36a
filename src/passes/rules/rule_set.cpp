#include "passes/rules/rule_set.h"

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
  for (const CompiledRule& r : rules_) {
    if (!r.pattern.op) for_any_.push_back(&r);
  }
}

RuleSet::List RuleSet::list_for(const OpDef& op) const {
  List list;
  for (const CompiledRule& r : rules_) {
    if (r.pattern.op == &op) list.push_back(&r);
  }
  for (const CompiledRule* r : for_any_) {
    if (op.is(r->pattern.trait)) list.push_back(r);  // after the op's own
  }
  return list;
}

std::span<const CompiledRule* const> RuleSet::of(const OpDef& op) const {
  std::lock_guard lock(mutex_);
  const auto found = by_op_.find(&op);
  return found != by_op_.end() ? found->second : by_op_.emplace(&op, list_for(op)).first->second;
}

}  // namespace weir::passes
