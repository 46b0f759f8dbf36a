#include "calibration.h"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "calibration_kernels.h"
#include "platform/cpu_features.h"

namespace weir::bench {
namespace {

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

CalibrationKernels kernels() {
#if defined(__x86_64__)
  switch (platform::isa()) {
    case platform::Isa::avx512:
      return avx512::calibration_kernels();
    case platform::Isa::avx2:
      return avx2::calibration_kernels();
    case platform::Isa::baseline:
      break;
  }
#endif
  return baseline::calibration_kernels();
}

/// Threads that sleep between calibrations. They are not the library's pool, which is what may be
/// under test.
class Team {
 public:
  /// Calls task(0) on this thread and task(1..threads-1) on others; returns when all are done.
  void run(int threads, const std::function<void(int)>& task) {
    while (static_cast<int>(workers_.size()) < threads - 1) {
      workers_.emplace_back([this, id = static_cast<int>(workers_.size()) + 1] { work(id); });
    }
    {
      const std::lock_guard lock(mutex_);
      task_ = &task;
      threads_ = threads;
      open_ = static_cast<int>(workers_.size());
      ++generation_;
    }
    start_.notify_all();
    task(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return open_ == 0; });
  }

  ~Team() {
    {
      const std::lock_guard lock(mutex_);
      threads_ = -1;
      ++generation_;
    }
    start_.notify_all();
    for (std::thread& worker : workers_) {
      worker.join();
    }
  }

 private:
  void work(int id) {
    int seen = 0;
    while (true) {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return generation_ != seen; });
      seen = generation_;
      if (threads_ < 0) return;
      const bool takes_part = id < threads_;
      lock.unlock();
      if (takes_part) (*task_)(id);
      lock.lock();
      if (--open_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  const std::function<void(int)>* task_ = nullptr;
  int threads_ = 0;
  int open_ = 0;
  int generation_ = 0;
  std::vector<std::thread> workers_;
};

/// Sum over threads of units per second; step(thread) does some work and returns its units.
double rate(int threads, const std::function<double(int)>& step) {
  static Team team;
  std::atomic<int> missing = threads;
  std::vector<double> rates(static_cast<std::size_t>(threads));
  team.run(threads, [&](int thread) {
    missing.fetch_sub(1);
    while (missing.load() > 0) {
    }  // all begin together
    double units = 0;
    const double begin = now(threads);
    double end = begin;
    while (end - begin < kCalibrationSeconds) {
      units += step(thread);
      end = now(threads);
    }
    rates[static_cast<std::size_t>(thread)] = units / (end - begin);
  });
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

/// `bytes` bytes of touched memory, in huge pages where the system has them; the largest asked for
/// so far is kept.
const std::byte* readable(std::size_t bytes) {
  static std::byte* memory = nullptr;
  static std::size_t size = 0;
  if (bytes > size) {
    constexpr std::size_t kHuge = std::size_t{2} << 20;
    size = (bytes + kHuge - 1) / kHuge * kHuge;
    memory = static_cast<std::byte*>(std::aligned_alloc(kHuge, size));
    madvise(memory, size, MADV_HUGEPAGE);
    std::fill_n(memory, size, std::byte{1});
  }
  return memory;
}

void keep(std::uint64_t value) {
  asm volatile("" : : "r"(value));
}

}  // namespace

double now(int threads) {
  return seconds(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

// One step is some 30 us of work: reading the clock of a thread is a system call.
double fma_peak(int threads) {
  constexpr std::int64_t kRounds = 20000;
  const CalibrationKernels chosen = kernels();
  return rate(threads, [&](int) {
    keep(static_cast<std::uint64_t>(chosen.multiply_add(kRounds)));
    return chosen.flops_per_round * kRounds;
  });
}

double read_bandwidth(std::size_t bytes, int threads) {
  constexpr std::size_t kStep = std::size_t{2} << 20;
  const auto count = static_cast<std::size_t>(threads);
  const CalibrationKernels chosen = kernels();
  const std::size_t part = std::max<std::size_t>(bytes / count / 256, 1) * 256;
  const std::byte* memory = readable(part * count);
  // Where each thread goes on: a set larger than one calibration can read is read part by part.
  static std::vector<std::size_t> places;
  places.resize(std::max(places.size(), count));
  return rate(threads, [&](int thread) {
    const std::byte* begin = memory + part * static_cast<std::size_t>(thread);
    std::size_t& place = places[static_cast<std::size_t>(thread)];
    std::size_t done = 0;
    while (done < kStep) {
      if (place >= part) place = 0;
      const std::size_t piece = std::min(part - place, kStep - done);
      keep(chosen.read(begin + place, piece));
      place += piece;
      done += piece;
    }
    return static_cast<double>(done);
  });
}

}  // namespace weir::bench
