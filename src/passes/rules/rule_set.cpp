#include "passes/rules/rule_set.h"

#include "dispatch/registry.h"

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
  for (const OpDef* op : dispatch::all_ops()) {
    auto& list = by_op_.emplace_back();
    for (const CompiledRule& r : rules_) {
      if (r.pattern.op == op) list.push_back(&r);
    }
    for (const CompiledRule* r : for_any_) {
      if (op->is(r->pattern.trait)) list.push_back(r);  // after the op's own
    }
  }
}

std::span<const CompiledRule* const> RuleSet::of(const OpDef& op) const {
  const std::size_t id = std::size_t(op.id());
  return id < by_op_.size() ? by_op_[id] : for_any_;
}

}  // namespace weir::passes
