// Two writers and a reader of one checkpoint; places that are unusual.
#include <sys/wait.h>
#include <unistd.h>
#include <weir/error.h>

#include <cstdio>
#include <filesystem>

#include "faults.h"
#include "platform/file.h"
#include "platform/test_directory.h"

namespace weir::faults {
namespace {

constexpr int kStride = 1000000;  // of the numbers of the second writer

pid_t start_writer(const std::string& directory, int first, int rounds, bool same_prefix) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 0;
  try {
    const State state;
    const CheckpointManager manager(state.checkpoint(), directory, {.max_to_keep = 2});
    for (int i = 1; i <= rounds; ++i) {
      state.set(first + i);
      same_prefix ? state.checkpoint().write(directory + "/ck") : void(manager.save());
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "writer: %s\n", error.what());
    status = 1;
  }
  ::_exit(status);
}

bool running(pid_t child, int* status) {
  return ::waitpid(child, status, WNOHANG) == 0;
}

// What the reader sees is always one state, and of each writer never an older one than before.
int read_while_written(bool same_prefix, int rounds) {
  const platform::TestDirectory directory;
  const State state;
  const std::string prefix = directory / "ck";
  if (same_prefix) state.checkpoint().write(prefix);
  const pid_t children[] = {start_writer(directory.path(), 0, rounds, same_prefix),
                            start_writer(directory.path(), kStride, rounds, same_prefix)};
  int status[2] = {0, 0};
  bool alive[2] = {true, true};
  int reads = 0;
  for (int last[2] = {0, 0}; alive[0] || alive[1]; ++reads) {
    for (int i = 0; i < 2; ++i)
      alive[i] = alive[i] && running(children[i], &status[i]);
    if (!same_prefix) continue;
    const int found = State::load(prefix);
    const int writer = found >= kStride;
    expect(found >= 0, "a mix of two states was read");
    expect(found >= last[writer], "an older state came back");
    last[writer] = found;
  }
  expect(status[0] == 0 && status[1] == 0, "a writer failed");
  const std::string latest = same_prefix ? prefix : latest_checkpoint(directory.path());
  expect(State::load(latest) % kStride == rounds, "the last state is not there");
  expect(leftovers(directory.path()) == 0, "files are left");
  return reads;
}

void save_and_load(const std::string& prefix) {
  const State state;
  for (const int number : {1, 2}) {
    state.set(number);
    state.checkpoint().write(prefix);
    expect(State::load(prefix) == number, "at '" + prefix + "'");
  }
}

void expect_refused(const std::string& prefix) {
  try {
    State().checkpoint().write(prefix);
    expect(false, "a save to '" + prefix + "' went well");
  } catch (const Error&) {
  }
}

void unusual_places() {
  const platform::TestDirectory directory;
  save_and_load(directory / "with space/and \xc3\xa9\xe2\x82\xac");
  save_and_load(directory / ("deep/" + std::string(200, 'd') + "/" + std::string(200, 'n')));
  expect_refused(directory / std::string(260, 'n'));
  expect_refused(directory / "with space/");
  std::filesystem::create_symlink("elsewhere", directory / "link");
  std::filesystem::create_directory(directory / "elsewhere");
  save_and_load(directory / "link/ck");
  State().checkpoint().write(directory / "elsewhere/target");
  std::filesystem::create_symlink("elsewhere/target.index", directory / "linked.index");
  save_and_load(directory / "linked");
  expect(std::filesystem::is_symlink(directory / "linked.index"), "a symbolic link was replaced");
  expect_refused(directory / "linked.index/ck");  // not a directory
  if (::geteuid() != 0) {
    std::filesystem::permissions(directory / "elsewhere", std::filesystem::perms::owner_read);
    expect_refused(directory / "elsewhere/ck");
    std::filesystem::permissions(directory / "elsewhere", std::filesystem::perms::owner_all);
  }
}

}  // namespace

int several_at_once(const Options& options) {
  const int reads = read_while_written(true, options.rounds);
  read_while_written(false, options.rounds);
  unusual_places();
  std::printf("several: 2 writers of %d saves, %d reads\n", options.rounds, reads);
  return failures();
}

}  // namespace weir::faults
