#include "plan/instance_pool.h"

#include <weir/error.h>

#include "kernels/select.h"
#include "platform/thread_number.h"

namespace weir::plan {
Worker::Worker(const rt::Program& program)
    : tables_(rt::Instance::table_bytes(program)), arena_(std::int64_t(program.arena_bytes())) {
  const rt::KernelLookup lookup{[](void*, std::uint64_t id) { return kernels::find(id); }};
  auto created = rt::Instance::create(
      program, lookup, tables_, {arena_.data(), std::size_t(program.arena_bytes())});
  if (!created.ok()) throw Error({created.code(), created.status().message(), {}, {}, {}, {}});
  instance_ = *created;
}

Worker::~Worker() {
  instance_->destroy();
}

InstancePool::~InstancePool() {
  for (Place& p : places_)
    delete p.worker.load();
}

Worker* InstancePool::take(const rt::Program& program) {
  const std::size_t start = platform::thread_number();
  for (std::size_t i = 0; i < kPlaces; ++i) {
    std::atomic<Worker*>& place = places_[(start + i) % kPlaces].worker;
    if (!place.load(std::memory_order_relaxed)) continue;
    if (Worker* w = place.exchange(nullptr, std::memory_order_acquire)) return w;
  }
  return new Worker(program);
}

void InstancePool::give(Worker* worker) noexcept {
  const std::size_t start = platform::thread_number();
  for (std::size_t i = 0; i < kPlaces; ++i) {
    Worker* none = nullptr;
    if (places_[(start + i) % kPlaces].worker.compare_exchange_strong(
            none, worker, std::memory_order_release))
      return;
  }
  delete worker;
}

}  // namespace weir::plan
