#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/file_descriptor.h"
#include "platform/file_status.h"

namespace weir::platform {

/// Reads a whole regular file. One larger than `limit` bytes is refused before any is read.
FileStatus read_file(const std::string& path, std::string* out, uint64_t limit = UINT64_MAX);

/// A regular file read piece by piece, as long as it was when it was opened.
class InputFile {
 public:
  static FileStatus open(const std::string& path, InputFile* out);

  uint64_t size() const { return size_; }
  /// Fills the front of `out`; `got` is less than its size at the end of the file only.
  FileStatus read(std::span<char> out, size_t* got);

 private:
  std::string path_;
  FileDescriptor fd_;
  uint64_t size_ = 0;
  uint64_t left_ = 0;
};

/// A read-only view of a file, mapped into memory. The file must not be truncated while it is
/// mapped; files that the layer publishes never are, because they are replaced as a whole.
class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  static FileStatus open(const std::string& path, MappedFile* out);

  std::span<const std::byte> bytes() const { return {static_cast<std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

bool file_exists(const std::string& path);
bool is_directory(const std::string& path);

/// Makes a directory and those above it; one that exists already is no error.
FileStatus make_directories(const std::string& path);

/// Names in a directory, without "." and "..", sorted.
FileStatus list_directory(const std::string& path, std::vector<std::string>* names);

/// Removes a file, or a directory with all it holds; symbolic links are removed, not followed.
/// What does not exist is no error.
FileStatus remove_all(const std::string& path);

/// Makes the entries of a directory durable (a rename or a creation in it).
FileStatus sync_directory(const std::string& path);

/// "a/b" -> "a", "b" -> ".", "/b" -> "/".
std::string parent_path(std::string_view path);

/// Last component: "a/b" -> "b", "a/b/" -> "b".
std::string base_name(std::string_view path);

std::string join_path(std::string_view directory, std::string_view name);

}  // namespace weir::platform
