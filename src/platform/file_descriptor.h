#pragma once

#include <utility>

#include "platform/file_calls.h"

namespace weir::platform {

/// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  /// 0 or -errno. A file system may report a failed write only here (NFS, quotas).
  int close() { return fd_ < 0 ? 0 : calls::close(std::exchange(fd_, -1)); }

 private:
  int fd_ = -1;
};

}  // namespace weir::platform
