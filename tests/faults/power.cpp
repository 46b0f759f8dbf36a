// Power loss: of what was not yet synced, any part may be on disk afterwards.
#include <weir/error.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>

#include "faults.h"
#include "io/file/file.h"
#include "platform/file.h"
#include "platform/file_faults.h"
#include "platform/test_directory.h"

namespace weir::faults {
namespace {

using platform::CallRecord;
using platform::FileCall;

struct File {
  std::string durable, written;
};
using Names = std::map<std::string, std::shared_ptr<File>>;

// A directory as a file system holds it: what is certain, and what is pending. Pending changes of
// names are independent of each other, which is less than any file system promises.
class Disk {
 public:
  explicit Disk(const std::string& directory) : directory_(directory) {
    std::vector<std::string> names;
    io::check(platform::list_directory(directory, &names));
    for (const std::string& name : names) {
      const std::string bytes = io::read_file(directory + "/" + name);
      certain_[name] = std::make_shared<File>(File{bytes, bytes});
    }
    seen_ = certain_;
  }

  void apply(const CallRecord& r) {
    const std::string name = platform::base_name(r.path);
    if (r.call == FileCall::open) open(r, name);
    if (r.call == FileCall::write && open_.contains(r.fd) && open_[r.fd])
      open_[r.fd]->written += r.text;
    if (r.call == FileCall::sync) sync(r.fd);
    if (r.call == FileCall::rename) change({name, platform::base_name(r.text), seen_[name]});
    if (r.call == FileCall::remove) change({name, "", nullptr});
  }

  // One of the states that may be found after a loss at this moment.
  void save_remains(const std::string& directory, std::mt19937_64& random) const {
    Names names = certain_;
    for (const Change& c : pending_) {
      if (random() % 2 == 0) perform(c, &names);
    }
    for (const auto& [name, file] : names) {
      const std::string& bytes = file->written;
      const std::string part = bytes.substr(0, random() % (bytes.size() + 1));
      const std::string lost[] = {
          file->durable, bytes, part, part + std::string(bytes.size() - part.size(), '\0')};
      const bool whole = file->durable == file->written;
      std::ofstream(directory + "/" + name, std::ios::binary)
          << (whole ? bytes : lost[random() % 4]);
    }
  }

 private:
  struct Change {
    std::string from, to;
    std::shared_ptr<File> file;  // of a new name
  };

  static void perform(const Change& c, Names* names) {
    if (!c.from.empty()) names->erase(c.from);
    if (!c.to.empty()) (*names)[c.to] = c.file;
  }

  void change(const Change& c) {
    pending_.push_back(c);
    perform(c, &seen_);
  }

  void open(const CallRecord& r, const std::string& name) {
    open_[r.fd] = nullptr;
    if (r.path == directory_ || r.path == directory_ + "/") return;
    if (!seen_.contains(name)) change({"", name, std::make_shared<File>()});
    open_[r.fd] = seen_[name];
  }

  void sync(int fd) {
    if (open_[fd]) {
      open_[fd]->durable = open_[fd]->written;
    } else {
      certain_ = seen_;
      pending_.clear();
    }
  }

  std::string directory_;
  Names certain_, seen_;
  std::vector<Change> pending_;
  std::map<int, std::shared_ptr<File>> open_;
};

int load_remains(const std::string& directory, bool same_prefix) {
  const std::string path = same_prefix ? directory + "/one" : latest_checkpoint(directory);
  return State::load(path);
}

// Loses power `tries` times after each call of a save over another.
int lose_power(bool same_prefix, int tries, std::mt19937_64& random) {
  const platform::TestDirectory directory;
  const State state;
  const CheckpointManager manager(state.checkpoint(), directory.path(), {.max_to_keep = 1});
  const auto save = [&] {
    same_prefix ? state.checkpoint().write(directory / "one") : void(manager.save());
  };
  state.set(1);
  save();
  Disk disk(directory.path());
  state.set(2);
  platform::start_recording();
  save();
  const std::vector<CallRecord> records = platform::stop_recording();
  int count = 0;
  for (std::size_t n = 0; n <= records.size(); ++n) {
    for (int i = 0; i < tries; ++i, ++count) {
      const platform::TestDirectory remains;
      disk.save_remains(remains.path(), random);
      const std::string what = "power loss after call " + std::to_string(n);
      try {
        const int found = load_remains(remains.path(), same_prefix);
        expect(found == 2 || (found == 1 && n < records.size()),
               what + ": found " + std::to_string(found));
      } catch (const Error& error) {
        expect(false, what + ": " + error.what());
      }
    }
    if (n < records.size()) disk.apply(records[n]);
  }
  return count;
}

}  // namespace

int power_loss(const Options& options) {
  std::mt19937_64 random(options.seed);
  int count = lose_power(false, options.rounds, random);
  count += lose_power(true, options.rounds, random);
  std::printf("power: %d losses\n", count);
  return failures();
}

}  // namespace weir::faults
