#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "platform/file_descriptor.h"
#include "platform/file_status.h"
#include "platform/staging.h"

namespace weir::platform {

/// Appends to a file that readers may follow while it grows (event files, logs).
class AppendFile {
 public:
  /// Creates `path`, which must not exist yet.
  static FileStatus create(const std::string& path, AppendFile* out);

  /// All of `bytes` or an error. After an error a part may have been written: `truncate(size())`
  /// takes the file back to its last complete append.
  FileStatus append(std::string_view bytes);
  FileStatus truncate(uint64_t size);
  FileStatus sync();
  FileStatus close();

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  FileDescriptor fd_;
  uint64_t size_ = 0;
};

/// Writes a file that appears under its name only when it is complete and on disk. Until
/// `commit()` succeeds a file that was there before is untouched, and a reader sees it whole;
/// without a commit the destructor removes what was written. A failure after the rename, of the
/// directory's sync, is reported although the new file is in place: it may not survive power loss.
class AtomicFile {
 public:
  AtomicFile() = default;
  AtomicFile(AtomicFile&&) noexcept = default;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  FileStatus open(const std::string& path);
  FileStatus append(std::string_view bytes);
  FileStatus commit();
  /// Commits under another name in the same directory.
  FileStatus commit_as(const std::string& path);

 private:
  FileStatus fail(FileStatus status);

  std::string target_;  // symbolic links resolved: the link stays, its target is replaced
  Staging staging_;
};

/// Writes `bytes` as the whole of `path`, atomically.
FileStatus write_file_atomic(const std::string& path, std::string_view bytes);

/// Fills a directory that appears under its name only when it is complete and on disk.
class AtomicDirectory {
 public:
  AtomicDirectory() = default;
  AtomicDirectory(AtomicDirectory&&) noexcept = default;
  AtomicDirectory& operator=(AtomicDirectory&&) = delete;
  ~AtomicDirectory();

  /// A directory that exists at `path` is replaced as a whole on commit, but only when each of its
  /// entries is one of `replaceable`: a user's own files are never swept away.
  FileStatus open(const std::string& path, std::span<const std::string_view> replaceable);

  /// Where to write the content.
  const std::string& staging() const { return staging_.path; }

  FileStatus commit();

 private:
  FileStatus check_replaceable(std::span<const std::string_view> replaceable) const;
  FileStatus publish();
  FileStatus swap_without_exchange();
  std::string aside() const;
  FileStatus remove_aside() const;

  std::string target_;
  Staging staging_;
};

}  // namespace weir::platform
