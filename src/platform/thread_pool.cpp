#include "platform/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace weir::platform {
namespace {

constexpr int64_t kCacheLine = 64;
constexpr int kSpins = 2000;  // about 50 us of pauses, the gap between the steps of a busy program

/// The share of a loop that belongs to one participant. `remaining` counts down; whoever lowers it
/// (the owner, or a participant that has nothing left) owns slice `end - old value`. The loop
/// cannot finish before that slice is reported, so the plain fields stay valid while it runs,
/// whichever loop it was taken from.
struct alignas(kCacheLine) Share {
  std::atomic<int64_t> remaining{0};
  SliceFn fn = nullptr;
  void* ctx = nullptr;
  int64_t end = 0;
  int64_t slices = 0;  // of the whole loop
  std::atomic<uint32_t> asleep{0};
};

struct Pool {
  Share shares[kMaxThreads];  // [0] is the caller's

  alignas(kCacheLine) std::atomic<int64_t> done{0};
  std::atomic<uint32_t> caller_waits{0};

  // Read by every worker, written only when the pool changes.
  alignas(kCacheLine) std::atomic<bool> stop{false};
  std::atomic<int> participants{1};

  alignas(kCacheLine) std::atomic<bool> busy{false};
  std::atomic<int> alive{0};
  int configured = 1;          // the wish that `participants` was made for; guarded by busy
  std::atomic<int> wanted{0};  // 0: not asked yet
};

// Never destroyed: threads may outlive static destructors.
constinit Pool pool;

// Set while this thread runs a loop of the pool, as the caller or as a worker.
thread_local bool inside = false;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Runs slices of `share` until none is left; returns how many, and the size of the loop.
int64_t drain(Share& share, int64_t& slices) {
  int64_t count = 0;
  int64_t left = share.remaining.load(std::memory_order_relaxed);
  while (left > 0) {
    if (!share.remaining.compare_exchange_weak(left, left - 1, std::memory_order_acquire)) continue;
    slices = share.slices;
    share.fn(share.ctx, share.end - left);
    ++count;
    left = share.remaining.load(std::memory_order_relaxed);
  }
  return count;
}

int64_t drain_all(int self, int64_t& slices) {
  const int n = pool.participants.load(std::memory_order_relaxed);
  int64_t count = drain(pool.shares[self], slices);
  for (int i = 1; i < n; ++i)
    count += drain(pool.shares[(self + i) % n], slices);
  return count;
}

/// Waits until the share has work or the pool stops: spins first, then sleeps.
void wait_for_work(Share& share) {
  const auto ready = [&] {
    return share.remaining.load(std::memory_order_relaxed) > 0 ||
           pool.stop.load(std::memory_order_relaxed);
  };
  for (int i = 0; i < kSpins; ++i) {
    if (ready()) return;
    pause();
  }
  while (true) {
    share.asleep.store(1);  // sequentially consistent with the checks below: see wake()
    if (share.remaining.load() > 0 || pool.stop.load()) break;
    share.asleep.wait(1);
  }
  share.asleep.store(0, std::memory_order_relaxed);
}

/// Called after the share got work: either this sees `asleep`, or the worker sees the work.
void wake(Share& share) {
  if (share.asleep.load() == 0) return;
  share.asleep.store(0);
  share.asleep.notify_one();
}

void report(int64_t count, int64_t slices) {
  if (pool.done.fetch_add(count) + count != slices) return;
  if (pool.caller_waits.load() == 0) return;
  pool.caller_waits.store(0);
  pool.caller_waits.notify_one();
}

void* worker(void* arg) {
  inside = true;
  Share& share = *static_cast<Share*>(arg);
  const int self = static_cast<int>(&share - pool.shares);
  while (!pool.stop.load(std::memory_order_acquire)) {
    wait_for_work(share);
    int64_t slices = 0;
    const int64_t count = drain_all(self, slices);
    if (count > 0) report(count, slices);
  }
  pool.alive.fetch_sub(1);
  pool.alive.notify_one();
  return nullptr;
}

void wait_until_done(int64_t slices) {
  for (int i = 0; i < kSpins; ++i) {
    if (pool.done.load(std::memory_order_acquire) == slices) return;
    pause();
  }
  while (true) {
    pool.caller_waits.store(1);
    if (pool.done.load() == slices) break;
    pool.caller_waits.wait(1);
  }
  pool.caller_waits.store(0, std::memory_order_relaxed);
}

void stop_workers() {
  pool.stop.store(true);
  for (int i = 1; i < pool.participants.load(std::memory_order_relaxed); ++i)
    wake(pool.shares[i]);
  for (int n = pool.alive.load(); n != 0; n = pool.alive.load())
    pool.alive.wait(n);
  pool.stop.store(false);
  pool.participants.store(1);
}

bool start_worker(int index) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, worker, &pool.shares[index]);
  pthread_attr_destroy(&attributes);
  return error == 0;
}

/// Makes the pool as large as wanted, or as large as the system allows. Needs `busy`.
void configure(int wanted) {
  stop_workers();
  int n = 1;
  for (; n < wanted; ++n) {
    pool.alive.fetch_add(1);
    if (start_worker(n)) continue;
    pool.alive.fetch_sub(1);
    break;
  }
  pool.participants.store(n);
  pool.configured = wanted;
}

bool try_lock() {
  return !pool.busy.exchange(true, std::memory_order_acquire);
}

void unlock() {
  pool.busy.store(false, std::memory_order_release);
}

// A fork between loops leaves the shares empty, so only the threads have to be forgotten.
void before_fork() {
  while (!inside && !try_lock())
    sched_yield();
}

void in_parent() {
  if (!inside) unlock();
}

void in_child() {
  for (Share& share : pool.shares)
    share.asleep.store(0, std::memory_order_relaxed);
  pool.alive.store(0);
  pool.stop.store(false);
  pool.participants.store(1);
  pool.configured = 1;
  if (!inside) unlock();
}

int default_threads() {
  pthread_atfork(before_fork, in_parent, in_child);
  if (const char* text = std::getenv("WEIR_NUM_THREADS")) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (end != text && *end == '\0' && n >= 1)
      return static_cast<int>(std::min<long>(n, kMaxThreads));
  }
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return std::clamp(CPU_COUNT(&cpus), 1, kMaxThreads);
}

void run_inline(int64_t slices, SliceFn fn, void* ctx) {
  for (int64_t i = 0; i < slices; ++i)
    fn(ctx, i);
}

/// Splits [0, slices) evenly over n participants, the caller's share last: the others start first.
void hand_out(int64_t slices, SliceFn fn, void* ctx, int64_t n) {
  int64_t end = slices;
  for (int64_t i = n - 1; i >= 0; --i) {
    const int64_t size = slices / n + (i < slices % n ? 1 : 0);
    Share& share = pool.shares[i];
    share.fn = fn;
    share.ctx = ctx;
    share.slices = slices;
    share.end = end;
    share.remaining.store(size);
    if (i > 0) wake(share);
    end -= size;
  }
}

void run_parallel(int64_t slices, SliceFn fn, void* ctx) {
  pool.done.store(0, std::memory_order_relaxed);
  inside = true;
  const int64_t n = std::min<int64_t>(pool.participants.load(std::memory_order_relaxed), slices);
  hand_out(slices, fn, ctx, n);
  int64_t ignored = 0;
  const int64_t count = drain_all(0, ignored);
  if (pool.done.fetch_add(count) + count != slices) wait_until_done(slices);
  inside = false;
}

}  // namespace

int threads() {
  const int n = pool.wanted.load(std::memory_order_relaxed);
  if (n > 0) return n;
  static const int first = default_threads();
  int unset = 0;
  pool.wanted.compare_exchange_strong(unset, first);
  return pool.wanted.load();
}

void set_threads(int n) {
  threads();  // so that the fork handlers are in place, and the default cannot come later
  pool.wanted.store(std::clamp(n, 1, kMaxThreads));
  if (inside || !try_lock()) return;
  if (pool.configured > pool.wanted.load()) configure(1);
  unlock();
}

void parallel_for(int64_t slices, SliceFn fn, void* ctx) {
  const int wanted = threads();
  if (slices <= 1 || wanted == 1 || inside || !try_lock()) return run_inline(slices, fn, ctx);
  if (pool.configured != wanted) configure(wanted);
  run_parallel(slices, fn, ctx);
  unlock();
}

}  // namespace weir::platform
