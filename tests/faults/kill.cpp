// kill -9 at a random moment of a save, again and again.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weir/error.h>

#include "faults.h"
#include "platform/test_directory.h"

namespace weir::faults {
namespace {

constexpr int kMaxMicroseconds = 60000;

// Goes on from the latest checkpoint, and saves and tells the number until it is killed.
[[noreturn]] void save_for_ever(const std::string& directory, int tell) {
  const State state;
  const CheckpointManager manager(state.checkpoint(), directory, {.max_to_keep = 2});
  const std::string latest = manager.latest_checkpoint();
  if (!latest.empty()) state.checkpoint().restore(latest).assert_consumed();
  for (int n = state.number() + 1;; ++n) {
    state.set(n);
    manager.save();
    if (::write(tell, &n, sizeof n) != sizeof n) ::_exit(0);
  }
}

// The last number that the child told.
int run_and_kill(const std::string& directory, int microseconds) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    save_for_ever(directory, ends[1]);
  }
  ::close(ends[1]);
  ::usleep(static_cast<useconds_t>(microseconds));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  int last = 0;
  for (int n = 0; ::read(ends[0], &n, sizeof n) == sizeof n;)
    last = n;
  ::close(ends[0]);
  return last;
}

}  // namespace

int kill_while_saving(const Options& options) {
  const platform::TestDirectory directory;
  std::mt19937_64 random(options.seed);
  int reached = 0;
  for (int round = 0; round < options.rounds; ++round) {
    const int told = run_and_kill(directory.path(), int(random() % kMaxMicroseconds));
    const std::string latest = latest_checkpoint(directory.path());
    const int found = latest.empty() ? 0 : State::load(latest);
    reached = std::max(reached, told);
    expect(found >= reached,
           "round " + std::to_string(round) + ": " + std::to_string(reached) + " was saved, " +
               std::to_string(found) + " is found");
  }
  const State state;
  CheckpointManager(state.checkpoint(), directory.path()).save();
  expect(leftovers(directory.path()) == 0, "files of interrupted saves are left");
  std::printf("kill: %d rounds, %d saves\n", options.rounds, reached);
  return failures();
}

}  // namespace weir::faults
