#include "platform/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

namespace weir::platform {
namespace {

class ThreadPool : public testing::Test {
 protected:
  void SetUp() override { set_threads(4); }
  void TearDown() override { set_threads(1); }
};

// Each slice must run once; plain ints let a thread sanitizer see slices that run twice at a time.
void expect_each_slice_once(int64_t slices) {
  std::vector<int> runs(slices, 0);
  parallel_for(slices, [&](int64_t i) { ++runs[i]; });
  for (int64_t i = 0; i < slices; ++i)
    ASSERT_EQ(runs[i], 1) << "slice " << i << " of " << slices;
}

TEST_F(ThreadPool, RunsEachSliceOnce) {
  for (int64_t slices : {0, 1, 2, 3, 4, 5, 7, 64, 1000})
    expect_each_slice_once(slices);
}

TEST_F(ThreadPool, NegativeCountRunsNothing) {
  int runs = 0;
  parallel_for(-3, [&](int64_t) { ++runs; });
  EXPECT_EQ(runs, 0);
}

TEST_F(ThreadPool, ManySmallLoopsInARow) {
  int64_t sums[3] = {0, 0, 0};
  for (int loop = 0; loop < 20000; ++loop)
    parallel_for(3, [&](int64_t i) { sums[i] += i + 1; });
  EXPECT_EQ(sums[0], 20000);
  EXPECT_EQ(sums[1], 40000);
  EXPECT_EQ(sums[2], 60000);
}

TEST_F(ThreadPool, UsesSeveralThreads) {
  // Both slices wait for each other, so one thread alone could not finish them.
  set_threads(2);
  std::atomic<int> entered{0};
  parallel_for(2, [&](int64_t) {
    entered.fetch_add(1);
    while (entered.load() < 2)
      std::this_thread::yield();
  });
  EXPECT_EQ(entered.load(), 2);
}

TEST_F(ThreadPool, WakesSleepingWorkers) {
  set_threads(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> entered{0};
    parallel_for(2, [&](int64_t) {
      entered.fetch_add(1);
      while (entered.load() < 2)
        std::this_thread::yield();
    });
  }
}

TEST_F(ThreadPool, CallerSleepsUntilALateSliceIsDone) {
  set_threads(2);
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> taken{false};
  bool finished = false;
  parallel_for(2, [&](int64_t) {
    if (std::this_thread::get_id() == caller) {
      while (!taken.load())
        std::this_thread::yield();
      return;
    }
    taken.store(true);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    finished = true;
  });
  EXPECT_TRUE(finished);
}

TEST_F(ThreadPool, ALoopInsideASliceRunsInline) {
  std::vector<int64_t> sums(8, 0);
  parallel_for(8, [&](int64_t i) {
    const std::thread::id self = std::this_thread::get_id();
    parallel_for(10, [&](int64_t j) {
      ASSERT_EQ(std::this_thread::get_id(), self);
      sums[i] += j;
    });
  });
  for (int64_t sum : sums)
    EXPECT_EQ(sum, 45);
}

TEST_F(ThreadPool, SetThreadsInsideASliceTakesEffectLater) {
  parallel_for(4, [&](int64_t) { set_threads(3); });
  EXPECT_EQ(threads(), 3);
  expect_each_slice_once(100);
}

TEST_F(ThreadPool, SeveralCallersAtOnce) {
  std::vector<std::thread> callers;
  std::atomic<int64_t> total{0};
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int loop = 0; loop < 500; ++loop) {
        parallel_for(5, [&](int64_t i) { total.fetch_add(i, std::memory_order_relaxed); });
      }
    });
  }
  for (std::thread& caller : callers)
    caller.join();
  EXPECT_EQ(total.load(), 4 * 500 * 10);
}

TEST_F(ThreadPool, ResizingWhileOthersRun) {
  std::atomic<bool> stop{false};
  std::thread resizer([&] {
    for (int n = 1; !stop.load(); n = n % 5 + 1)
      set_threads(n);
  });
  for (int loop = 0; loop < 300; ++loop)
    expect_each_slice_once(9);
  stop.store(true);
  resizer.join();
}

TEST_F(ThreadPool, ThreadCountIsClamped) {
  set_threads(0);
  EXPECT_EQ(threads(), 1);
  set_threads(std::numeric_limits<int>::min());
  EXPECT_EQ(threads(), 1);
  set_threads(std::numeric_limits<int>::max());
  EXPECT_EQ(threads(), kMaxThreads);
}

double cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
         1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST_F(ThreadPool, IdleThreadsSleep) {
  expect_each_slice_once(64);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // more than the time they spin
  const double before = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(cpu_seconds() - before, 0.05);
}

TEST_F(ThreadPool, WorksInAForkedChild) {
  expect_each_slice_once(64);
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> entered{0};
    set_threads(2);
    parallel_for(2, [&](int64_t) {
      entered.fetch_add(1);
      while (entered.load() < 2)
        std::this_thread::yield();
    });
    _exit(entered.load() == 2 ? 0 : 1);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  expect_each_slice_once(64);
}

}  // namespace
}  // namespace weir::platform
