#include "passes/rules/rule.h"

namespace weir::passes {

std::vector<const Rule*> all_rules() {
  std::vector<const Rule*> all;
  for (const auto table :
       {arithmetic_rules, logic_rules, cast_rules, layout_rules, contraction_rules}) {
    for (const Rule& r : table())
      all.push_back(&r);
  }
  return all;
}

}  // namespace weir::passes
