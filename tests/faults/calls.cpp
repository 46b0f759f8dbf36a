// Each system call of a save fails in turn, in every way.
#include <weir/error.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "faults.h"
#include "platform/file_faults.h"
#include "platform/test_directory.h"

namespace weir::faults {
namespace {

struct Fault {
  int error;  // 0: a short write
  bool sticky;
};
constexpr Fault kFaults[] = {{ENOSPC, true},
                             {ENOSPC, false},
                             {EIO, true},
                             {EIO, false},
                             {EACCES, false},
                             {EINTR, false},
                             {0, false}};

// One save over another whose n-th call fails. Returns the number of calls.
std::int64_t fail_call(std::int64_t n, const Fault& fault, bool same_prefix) {
  const std::string what = "call " + std::to_string(n) + ", error " + std::to_string(fault.error);
  const platform::TestDirectory directory;
  const State state;
  const CheckpointManager manager(state.checkpoint(), directory.path(), {.max_to_keep = 1});
  const auto save = [&] {
    same_prefix ? state.checkpoint().write(directory / "one") : void(manager.save());
  };
  const auto load = [&] {
    return State::load(same_prefix ? directory / "one" : manager.latest_checkpoint());
  };
  state.set(1);
  save();
  state.set(2);
  bool failed = false;
  platform::set_fault_plan({.nth = n, .error = fault.error, .sticky = fault.sticky});
  try {
    save();
  } catch (const Error& error) {
    failed = true;
    expect(std::string(error.what()).find(directory.path()) != std::string::npos,
           what + ": the error does not name the path: " + error.what());
  }
  const std::int64_t calls = platform::clear_fault_plan();
  const int found = load();
  expect(found == 2 || (failed && found == 1), what + ": found " + std::to_string(found));
  expect(!failed || (fault.error != EINTR && fault.error != 0), what + ": was not retried");
  state.set(3);
  save();
  expect(load() == 3, what + ": the next save is not found");
  expect(leftovers(directory.path()) == 0, what + ": files are left");
  return calls;
}

}  // namespace

int failing_calls(const Options& options) {
  std::int64_t total = 0;
  for (const bool same_prefix : {false, true}) {
    for (const Fault& fault : kFaults) {
      const std::int64_t calls = fail_call(INT64_MAX, fault, same_prefix);
      const std::int64_t step = std::max<std::int64_t>(1, calls / options.rounds);
      for (std::int64_t n = 1; n <= calls; n += step, ++total)
        fail_call(n, fault, same_prefix);
    }
  }
  std::printf("calls: %lld failing calls\n", static_cast<long long>(total));
  return failures();
}

}  // namespace weir::faults
