#include "platform/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "platform/file_calls.h"
#include "platform/file_descriptor.h"

namespace weir::platform {
namespace {

// Opens a regular file for reading and tells its size.
FileStatus open_regular(const std::string& path, FileDescriptor* fd, uint64_t* size) {
  // A FIFO would block the open itself; O_NONBLOCK has no effect on regular files.
  const int opened = calls::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  if (opened < 0) return file_error("open", path, -opened);
  *fd = FileDescriptor(opened);
  struct stat info = {};
  if (::fstat(fd->get(), &info) != 0) return file_error("open", path, errno);
  if (S_ISDIR(info.st_mode)) return file_error("read", path, EISDIR);
  if (!S_ISREG(info.st_mode)) return file_error("read", path, EINVAL, "not a regular file");
  *size = static_cast<uint64_t>(info.st_size);
  return {};
}

FileStatus read_exactly(int fd, const std::string& path, std::span<char> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = calls::read(fd, out.data() + done, out.size() - done);
    if (got < 0) return file_error("read", path, static_cast<int>(-got));
    if (got == 0) return file_error("read", path, EIO, "the file shrank while it was read");
    done += static_cast<size_t>(got);
  }
  return {};
}

using DirectoryHandle = std::unique_ptr<DIR, int (*)(DIR*)>;

bool exists_as_link(const std::string& path) {
  struct stat info = {};
  return ::lstat(path.c_str(), &info) == 0;
}

FileStatus remove_contents(const std::string& path) {
  std::vector<std::string> names;
  if (FileStatus status = list_directory(path, &names); !status.ok()) return status;
  for (const std::string& name : names) {
    if (FileStatus status = remove_all(join_path(path, name)); !status.ok()) return status;
  }
  return {};
}

}  // namespace

FileStatus read_file(const std::string& path, std::string* out, uint64_t limit) {
  FileDescriptor fd;
  uint64_t size = 0;
  if (FileStatus status = open_regular(path, &fd, &size); !status.ok()) return status;
  if (size > limit) return file_error("read", path, EFBIG);
  std::string content(size, '\0');
  if (FileStatus status = read_exactly(fd.get(), path, content); !status.ok()) return status;
  *out = std::move(content);
  return {};
}

FileStatus InputFile::open(const std::string& path, InputFile* out) {
  InputFile file;
  if (FileStatus status = open_regular(path, &file.fd_, &file.size_); !status.ok()) return status;
  file.path_ = path;
  file.left_ = file.size_;
  *out = std::move(file);
  return {};
}

FileStatus InputFile::read(std::span<char> out, size_t* got) {
  *got = static_cast<size_t>(std::min<uint64_t>(out.size(), left_));
  left_ -= *got;
  return read_exactly(fd_.get(), path_, out.first(*got));
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

FileStatus MappedFile::open(const std::string& path, MappedFile* out) {
  FileDescriptor fd;
  uint64_t size = 0;
  if (FileStatus status = open_regular(path, &fd, &size); !status.ok()) return status;
  MappedFile mapped;
  if (size > 0) {
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED) return file_error("map", path, errno);
    mapped.data_ = data;
    mapped.size_ = size;
  }
  *out = std::move(mapped);
  return {};
}

bool file_exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool is_directory(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

FileStatus make_directories(const std::string& path) {
  if (path.empty()) return file_error("create directory", path, ENOENT);
  for (size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string prefix = path.substr(0, end);
    const int made = is_directory(prefix) ? 0 : calls::make_directory(prefix.c_str());
    if (made >= 0 || is_directory(prefix)) continue;  // another process may have made it
    return file_error("create directory", prefix, made == -EEXIST ? ENOTDIR : -made);
  }
  return {};
}

FileStatus list_directory(const std::string& path, std::vector<std::string>* names) {
  const DirectoryHandle directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return file_error("list directory", path, errno);
  names->clear();
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names->emplace_back(name);
  }
  if (errno != 0) return file_error("list directory", path, errno);
  std::sort(names->begin(), names->end());
  return {};
}

FileStatus remove_all(const std::string& path) {
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  const bool directory = S_ISDIR(info.st_mode);
  if (directory) {
    if (FileStatus status = remove_contents(path); !status.ok()) return status;
  }
  int removed = 0;
  if (directory) {
    removed = ::rmdir(path.c_str()) == 0 ? 0 : -errno;
  } else {
    removed = calls::remove_file(path.c_str());
  }
  if (removed < 0 && exists_as_link(path)) return file_error("remove", path, -removed);
  return {};
}

FileStatus sync_directory(const std::string& path) {
  const int opened = calls::open(path.c_str(), O_RDONLY | O_DIRECTORY);
  if (opened < 0) return file_error("open directory", path, -opened);
  const FileDescriptor fd(opened);
  const int synced = calls::sync(fd.get());
  // Some file systems cannot sync a directory and say so with EINVAL: nothing more can be done.
  if (synced < 0 && synced != -EINVAL) return file_error("sync directory", path, -synced);
  return {};
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string joined(directory);
  if (!joined.empty() && joined.back() != '/') joined += '/';
  return joined.append(name);
}

}  // namespace weir::platform
