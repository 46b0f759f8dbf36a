#include "platform/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "platform/file_calls.h"

namespace weir::platform {

FileStatus DirectoryLock::acquire(const std::string& directory, DirectoryLock* out) {
  const int opened = calls::open(directory.c_str(), O_RDONLY | O_DIRECTORY);
  if (opened < 0) return file_error("lock", directory, -opened);
  out->fd_ = FileDescriptor(opened);
  while (::flock(opened, LOCK_EX) != 0 && errno == EINTR) {
  }
  return {};
}

}  // namespace weir::platform
