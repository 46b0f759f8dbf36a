#include "tensor/profile.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <new>
#include <shared_mutex>

#include "platform/thread_number.h"

namespace weir::profile {
namespace {

constexpr std::size_t kShards = 16;

struct Registry {
  std::shared_mutex mutex;
  std::vector<Sink*> sinks;
};

Registry& registry() {
  static auto& r = *new Registry;  // threads may record after main
  return r;
}

}  // namespace

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::uint32_t this_thread() {
  return std::uint32_t(platform::thread_number());
}

void record(const LabelPtr& label,
            std::int64_t begin,
            std::int64_t end,
            std::uint32_t owner) noexcept {
  const Event event{label, begin, end, this_thread()};
  Registry& r = registry();
  std::shared_lock lock(r.mutex);
  for (Sink* sink : r.sinks)
    sink->add(event, owner);
}

void record(const LabelPtr& label, std::int64_t begin, std::int64_t end) noexcept {
  record(label, begin, end, this_thread());
}

/// Threads that record at once seldom meet in one.
struct alignas(64) Sink::Shard {
  std::mutex mutex;
  std::vector<Event> events;
};

Sink::Sink(bool this_thread_only, std::size_t max_events)
    : one_thread_(this_thread_only), max_events_(max_events), shards_(new Shard[kShards]) {}

Sink::~Sink() {
  detach();
}

void Sink::attach() {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  if (attached_) return;
  r.sinks.push_back(this);
  thread_ = this_thread();
  attached_ = true;
  sinks.fetch_add(1, std::memory_order_relaxed);
}

void Sink::detach() noexcept {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  if (!attached_) return;
  std::erase(r.sinks, this);
  attached_ = false;
  sinks.fetch_sub(1, std::memory_order_relaxed);
}

void Sink::add(const Event& event, std::uint32_t owner) noexcept {
  if (one_thread_ && owner != thread_) return;
  Shard& shard = shards_[event.thread % kShards];
  std::lock_guard lock(shard.mutex);
  try {
    if (count_.fetch_add(1, std::memory_order_relaxed) < max_events_)
      return shard.events.push_back(event);
  } catch (const std::bad_alloc&) {
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

std::vector<Event> Sink::events() const {
  std::vector<Event> all;
  for (std::size_t i = 0; i < kShards; ++i) {
    std::lock_guard lock(shards_[i].mutex);
    all.insert(all.end(), shards_[i].events.begin(), shards_[i].events.end());
  }
  return all;
}

void Span::begin(Category category, std::string_view name) {
  category_ = category;
  name_ = name;
  begin_ = now();
}

void Span::end() noexcept {
  const std::int64_t end = now();
  try {
    auto label = std::make_shared<Label>();
    label->category = category_;
    label->name = name_;
    record(label, begin_, end);
  } catch (...) {  // no memory: the work itself has gone well
  }
}

}  // namespace weir::profile
