#include "platform/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <vector>

#include "platform/file.h"
#include "platform/file_calls.h"

namespace weir::platform {
namespace {

FileStatus write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = calls::write(fd, bytes.data(), bytes.size());
    if (written < 0) return file_error("write", path, static_cast<int>(-written));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

// The place a path leads to: a link at the target is kept, and what it points to is replaced.
std::string resolve_links(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/')
    trimmed.pop_back();
  struct stat info = {};
  if (::lstat(trimmed.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return trimmed;
  char resolved[PATH_MAX];
  return ::realpath(trimmed.c_str(), resolved) != nullptr ? std::string(resolved) : trimmed;
}

bool is_empty_directory(const std::string& path) {
  std::vector<std::string> names;
  return list_directory(path, &names).ok() && names.empty();
}

FileStatus sync_file(const std::string& path) {
  const int opened = calls::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (opened < 0) return file_error("open", path, -opened);
  const FileDescriptor fd(opened);
  const int synced = calls::sync(fd.get());
  return synced < 0 ? file_error("sync", path, -synced) : FileStatus{};
}

// Everything below `path`, then `path` itself.
FileStatus sync_tree(const std::string& path) {
  std::vector<std::string> names;
  if (FileStatus status = list_directory(path, &names); !status.ok()) return status;
  for (const std::string& name : names) {
    const std::string entry = join_path(path, name);
    FileStatus status = is_directory(entry) ? sync_tree(entry) : sync_file(entry);
    if (!status.ok()) return status;
  }
  return sync_directory(path);
}

}  // namespace

FileStatus AppendFile::create(const std::string& path, AppendFile* out) {
  const int opened = calls::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0666);
  if (opened < 0) return file_error("create", path, -opened);
  out->path_ = path;
  out->fd_ = FileDescriptor(opened);
  out->size_ = 0;
  return {};
}

FileStatus AppendFile::append(std::string_view bytes) {
  FileStatus status = write_all(fd_.get(), bytes, path_);
  if (status.ok()) size_ += bytes.size();
  return status;
}

FileStatus AppendFile::truncate(uint64_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    return file_error("truncate", path_, errno);
  }
  size_ = size;
  return {};
}

FileStatus AppendFile::sync() {
  const int synced = calls::sync(fd_.get());
  return synced < 0 ? file_error("sync", path_, -synced) : FileStatus{};
}

FileStatus AppendFile::close() {
  const int closed = fd_.close();
  return closed < 0 ? file_error("close", path_, -closed) : FileStatus{};
}

AtomicFile::~AtomicFile() {
  if (!staging_.path.empty()) calls::remove_file(staging_.path.c_str());
}

FileStatus AtomicFile::fail(FileStatus status) {
  if (!staging_.path.empty()) calls::remove_file(staging_.path.c_str());
  staging_ = {};
  return status;
}

FileStatus AtomicFile::open(const std::string& path) {
  target_ = resolve_links(path);
  struct stat info = {};
  const bool exists = ::stat(target_.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return file_error("write", path, EISDIR);
  // Renaming over a device or a pipe would replace it by a file.
  if (exists && !S_ISREG(info.st_mode)) {
    return file_error("write", path, EINVAL, "not a regular file, it cannot be replaced");
  }
  FileStatus status = create_staging(parent_path(target_), StagingKind::file, &staging_);
  if (!status.ok()) return file_error("write", path, status.error);
  if (exists) static_cast<void>(::fchmod(staging_.fd.get(), info.st_mode & 07777));
  return {};
}

FileStatus AtomicFile::append(std::string_view bytes) {
  FileStatus status = write_all(staging_.fd.get(), bytes, target_);
  return status.ok() ? status : fail(std::move(status));
}

FileStatus AtomicFile::commit() {
  if (staging_.path.empty()) return file_error("write", target_, EBADF, "an earlier step failed");
  const int synced = calls::sync(staging_.fd.get());
  if (synced < 0) return fail(file_error("sync", target_, -synced));
  const int renamed = calls::rename(staging_.path.c_str(), target_.c_str());
  if (renamed < 0) return fail(file_error("rename to", target_, -renamed));
  staging_.path.clear();
  const int closed = staging_.fd.close();
  if (closed < 0) return file_error("close", target_, -closed);
  return sync_directory(parent_path(target_));
}

FileStatus AtomicFile::commit_as(const std::string& path) {
  target_ = resolve_links(path);
  return commit();
}

FileStatus write_file_atomic(const std::string& path, std::string_view bytes) {
  AtomicFile file;
  if (FileStatus status = file.open(path); !status.ok()) return status;
  if (FileStatus status = file.append(bytes); !status.ok()) return status;
  return file.commit();
}

AtomicDirectory::~AtomicDirectory() {
  if (!staging_.path.empty()) static_cast<void>(remove_all(staging_.path));
}

FileStatus AtomicDirectory::check_replaceable(std::span<const std::string_view> replaceable) const {
  std::vector<std::string> names;
  if (FileStatus status = list_directory(target_, &names); !status.ok()) return status;
  for (const std::string& name : names) {
    const bool known = std::find(replaceable.begin(), replaceable.end(), name) != replaceable.end();
    if (known || is_staging_name(name)) continue;
    return file_error("replace", target_, EEXIST, "it holds '" + name + "', which is not ours");
  }
  return {};
}

FileStatus AtomicDirectory::open(const std::string& path,
                                 std::span<const std::string_view> replaceable) {
  target_ = resolve_links(path);
  if (file_exists(target_)) {
    if (!is_directory(target_)) return file_error("write", path, ENOTDIR);
    if (FileStatus status = check_replaceable(replaceable); !status.ok()) return status;
  }
  const std::string parent = parent_path(target_);
  if (FileStatus status = make_directories(parent); !status.ok()) return status;
  FileStatus status = create_staging(parent, StagingKind::directory, &staging_);
  return status.ok() ? status : file_error("write", path, status.error);
}

FileStatus AtomicDirectory::commit() {
  if (FileStatus status = sync_tree(staging_.path); !status.ok()) return status;
  if (FileStatus status = publish(); !status.ok()) return status;
  // After an exchange the staging name holds the replaced directory.
  FileStatus status = sync_directory(parent_path(target_));
  if (FileStatus removed = remove_all(staging_.path); status.ok()) status = std::move(removed);
  staging_ = {};
  return status;
}

FileStatus AtomicDirectory::publish() {
  if (!file_exists(target_) || is_empty_directory(target_)) {
    const int renamed = calls::rename(staging_.path.c_str(), target_.c_str());
    if (renamed < 0) return file_error("rename to", target_, -renamed);
    return remove_aside();
  }
  const int swapped = calls::exchange(staging_.path.c_str(), target_.c_str());
  if (swapped == -EINVAL || swapped == -ENOSYS) return swap_without_exchange();
  return swapped < 0 ? file_error("rename to", target_, -swapped) : FileStatus{};
}

// What a crash between the two renames of swap_without_exchange leaves is the only copy: no
// staging name, which a later save would clean away, and removed only once there is a new one.
std::string AtomicDirectory::aside() const {
  return target_ + ".weir-old";
}

FileStatus AtomicDirectory::remove_aside() const {
  return file_exists(aside()) ? remove_all(aside()) : FileStatus{};
}

// For file systems that cannot exchange two names (NFS): the name is missing for a moment.
FileStatus AtomicDirectory::swap_without_exchange() {
  if (FileStatus status = remove_aside(); !status.ok()) return status;
  const std::string aside = this->aside();
  const int moved = calls::rename(target_.c_str(), aside.c_str());
  if (moved < 0) return file_error("move aside", target_, -moved);
  const int renamed = calls::rename(staging_.path.c_str(), target_.c_str());
  if (renamed < 0) {
    static_cast<void>(::rename(aside.c_str(), target_.c_str()));
    return file_error("rename to", target_, -renamed);
  }
  return remove_all(aside);
}

}  // namespace weir::platform
