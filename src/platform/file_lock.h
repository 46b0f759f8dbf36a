#pragma once

#include <string>

#include "platform/file_descriptor.h"
#include "platform/file_status.h"

namespace weir::platform {

/// Held by whoever publishes several files of a directory that belong together. It is a lock on the
/// directory itself, so it leaves no file behind and ends with its process; readers do not take it.
class DirectoryLock {
 public:
  /// Waits until the directory is free. A file system without locks has none to wait for.
  static FileStatus acquire(const std::string& directory, DirectoryLock* out);

 private:
  FileDescriptor fd_;
};

}  // namespace weir::platform
