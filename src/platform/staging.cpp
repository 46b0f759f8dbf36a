#include "platform/staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <vector>

#include "platform/file.h"

namespace weir::platform {
namespace {

constexpr std::string_view kPrefix = ".weir-tmp-";
constexpr int kAttempts = 100;

// The name does not contain the target's, which may already be as long as names can be.
std::string next_name() {
  static std::atomic<unsigned> counter{0};
  return std::string(kPrefix) + std::to_string(::getpid()) + '-' + std::to_string(counter++);
}

bool lock_without_waiting(int fd) {
  return ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

// Whether `path` still names the open file: a cleaner may have removed it before it was locked.
bool still_named(const std::string& path, int fd) {
  struct stat named = {};
  struct stat opened = {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

int create_entry(const std::string& path, StagingKind kind) {
  if (kind == StagingKind::file) {
    return calls::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  }
  const int made = calls::make_directory(path.c_str());
  if (made < 0) return made;
  const int fd = calls::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fd < 0) ::rmdir(path.c_str());
  return fd;
}

void remove_if_left_over(const std::string& path) {
  // Opened with plain ::open: what cannot be opened is simply left for a later save.
  const int opened = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (opened < 0) return;
  const FileDescriptor fd(opened);
  if (lock_without_waiting(fd.get())) static_cast<void>(remove_all(path));
}

}  // namespace

bool is_staging_name(std::string_view name) {
  return name.substr(0, kPrefix.size()) == kPrefix;
}

void remove_leftovers(const std::string& directory) {
  std::vector<std::string> names;
  if (!list_directory(directory, &names).ok()) return;
  for (const std::string& name : names) {
    if (is_staging_name(name)) remove_if_left_over(join_path(directory, name));
  }
}

FileStatus create_staging(const std::string& directory, StagingKind kind, Staging* out) {
  remove_leftovers(directory);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::string path = join_path(directory, next_name());
    const int created = create_entry(path, kind);
    if (created == -EEXIST) continue;
    if (created < 0) return file_error("create a file in", directory, -created);
    FileDescriptor fd(created);
    // A file system without locks (ENOLCK and the like) has no cleaners to fear either.
    if (!lock_without_waiting(fd.get()) && errno == EWOULDBLOCK) continue;
    if (!still_named(path, fd.get())) continue;
    *out = {std::move(path), std::move(fd)};  // no allocation that could fail leaves the file
    return {};
  }
  return file_error("create a file in", directory, EEXIST);
}

}  // namespace weir::platform
