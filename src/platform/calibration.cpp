#include "platform/calibration.h"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "platform/calibration_kernels.h"
#include "platform/cpu_features.h"

namespace weir::platform {
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

/// Sum over threads of units per second; step(thread) does some work and returns its units. The
/// threads are not the pool's, which is what may be under test, and end with the calibration.
double rate(int threads, const std::function<double(int)>& step) {
  std::atomic<int> missing = threads;
  std::vector<double> rates(static_cast<std::size_t>(threads));
  const auto run = [&](int thread) {
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
  };
  {
    std::vector<std::jthread> others;
    try {
      for (int i = 1; i < threads; ++i)
        others.emplace_back(run, i);
    } catch (const std::system_error&) {  // as many as the system allows
      missing.fetch_sub(threads - 1 - static_cast<int>(others.size()));
    }
    run(0);
  }
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

/// What the loops read.
struct Memory {
  std::byte* data = nullptr;
  std::size_t size = 0;

  void release() {
    std::free(std::exchange(data, nullptr));
    size = 0;
  }
  /// `bytes` bytes of touched memory, in huge pages where the system has them; the largest asked
  /// for so far is kept.
  const std::byte* readable(std::size_t bytes) {
    if (bytes <= size) return data;
    constexpr std::size_t kHuge = std::size_t{2} << 20;
    release();
    const std::size_t rounded = (bytes + kHuge - 1) / kHuge * kHuge;
    data = static_cast<std::byte*>(std::aligned_alloc(kHuge, rounded));
    if (!data) throw std::bad_alloc();
    size = rounded;
    madvise(data, size, MADV_HUGEPAGE);
    std::fill_n(data, size, std::byte{1});
    return data;
  }
};
constinit Memory memory;

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
  const std::byte* all = memory.readable(part * count);
  // Where each thread goes on: a set larger than one calibration can read is read part by part.
  static std::vector<std::size_t> places;
  places.resize(std::max(places.size(), count));
  return rate(threads, [&](int thread) {
    const std::byte* begin = all + part * static_cast<std::size_t>(thread);
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

void release_calibration_memory() {
  memory.release();
}

}  // namespace weir::platform
