#include "function/ready.h"

#include <algorithm>

#include "platform/thread_number.h"

namespace weir::tracing {

ReadyPlans::Group& ReadyPlans::mine() {
  return groups_[platform::thread_number() % kGroups];
}

std::shared_ptr<const Ready> ReadyPlans::find(std::span<const Tensor> arguments,
                                              std::string_view key) {
  Group& group = mine();
  std::lock_guard lock(group.mutex);
  ++group.calls;
  for (auto& plan : group.plans) {
    if (key != plan->trace->signature().key || !equals(arguments, plan->shapes)) continue;
    if (&plan != &group.plans[0]) std::swap(plan, group.plans[0]);
    group.plans[0]->trace->mark_used();
    return group.plans[0];
  }
  return nullptr;
}

void ReadyPlans::add(const std::shared_ptr<Trace>& trace, std::span<const Tensor> arguments) {
  auto ready = std::make_shared<Ready>();
  for (const Tensor& t : arguments)
    ready->shapes.push_back({t.dtype(), t.shape()});
  ready->trace = trace;
  ready->compiled = trace->plan(arguments);
  ready->executable = &ready->compiled->executable();
  Group& group = mine();
  std::lock_guard lock(group.mutex);
  group.plans.insert(group.plans.begin(), std::move(ready));
  if (group.plans.size() > kMost) group.plans.pop_back();
}

void ReadyPlans::clear() {
  for (Group& group : groups_) {
    std::vector<std::shared_ptr<const Ready>> gone;  // destroyed without the lock
    std::lock_guard lock(group.mutex);
    gone.swap(group.plans);
  }
}

std::size_t ReadyPlans::calls() const {
  std::size_t n = 0;
  for (const Group& group : groups_) {
    std::lock_guard lock(group.mutex);
    n += group.calls;
  }
  return n;
}

}  // namespace weir::tracing
