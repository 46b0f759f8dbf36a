#include "function/turn.h"

#include <condition_variable>
#include <mutex>
#include <unordered_map>

namespace weir::tracing {
namespace {

/// Of all functions: tracing is rare, and a cycle of waiting threads spans functions.
struct Turns {
  std::mutex mutex;
  std::condition_variable changed;
  std::unordered_map<std::thread::id, const TurnOwner*> waits_for;
};

Turns& turns() {
  static auto& t = *new Turns;
  return t;
}

}  // namespace

Turn::Turn(TurnOwner& owner) : owner_(owner) {
  Turns& all = turns();
  const auto me = std::this_thread::get_id();
  const auto leads_to_me = [&] {
    for (const TurnOwner* o = &owner_; o && o->taken_;) {
      if (o->thread_ == me) return true;
      const auto next = all.waits_for.find(o->thread_);
      o = next == all.waits_for.end() ? nullptr : next->second;
    }
    return false;
  };
  std::unique_lock lock(all.mutex);
  while (owner_.taken_) {
    if (leads_to_me()) return;
    all.waits_for[me] = &owner_;
    all.changed.wait(lock);
    all.waits_for.erase(me);
  }
  owner_.taken_ = mine_ = true;
  owner_.thread_ = me;
}

Turn::~Turn() {
  if (!mine_) return;
  {
    std::lock_guard lock(turns().mutex);
    owner_.taken_ = false;
  }
  turns().changed.notify_all();
}

}  // namespace weir::tracing
