// A file system that is full for real.
#include <sys/mount.h>
#include <unistd.h>
#include <weir/error.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "faults.h"
#include "platform/file.h"
#include "platform/test_directory.h"

namespace weir::faults {
namespace {

constexpr int kMountBytes = 1 << 20;

class SmallDisk {
 public:
  SmallDisk() {
    const std::string size = "size=" + std::to_string(kMountBytes);
    mounted_ = ::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (!mounted_)
      std::printf("full_disk: skipped, cannot mount a tmpfs: %s\n", std::strerror(errno));
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string operator/(const std::string& name) const { return directory_ / name; }
  const std::string& path() const { return directory_.path(); }

 private:
  platform::TestDirectory directory_;
  bool mounted_ = false;
};

void fill(const std::string& path, int spare) {
  std::ofstream file(path, std::ios::binary);
  const std::string block(4096, 'x');
  for (int bytes = 0; bytes + spare < kMountBytes && file.write(block.data(), 4096).flush();
       bytes += 4096) {
  }
}

}  // namespace

int full_disk(const Options& options) {
  const SmallDisk disk;
  if (!disk.mounted()) return kSkipped;
  const State state;
  const CheckpointManager manager(state.checkpoint(), disk.path(), {.max_to_keep = 1});
  state.set(1);
  manager.save();
  int failed = 0;
  for (int round = 0; round < options.rounds; ++round) {
    const int before = State::load(manager.latest_checkpoint());
    fill(disk / "filler", round * 4096);  // from nothing left to enough
    state.set(before + 1);
    try {
      manager.save();
    } catch (const Error& error) {
      ++failed;
      expect(error.code() == Code::resource_exhausted,
             std::string("another error: ") + error.what());
      expect(State::load(manager.latest_checkpoint()) == before, "the last good one is gone");
    }
    expect(platform::remove_all(disk / "filler").ok(), "remove");
    manager.save();
    expect(State::load(manager.latest_checkpoint()) == before + 1, "a save after the full disk");
    expect(leftovers(disk.path()) == 0, "files are left");
  }
  std::printf("full_disk: %d rounds, %d saves refused\n", options.rounds, failed);
  expect(failed > 0, "the disk was never full");
  return failures();
}

}  // namespace weir::faults
