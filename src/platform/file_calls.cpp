#include "platform/file_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <utility>

#include "platform/file_faults.h"

namespace weir::platform {
namespace {

std::atomic<bool> plan_active{false};
std::mutex plan_mutex;
FaultPlan plan;
int64_t plan_count = 0;

std::atomic<bool> recording{false};
std::mutex record_mutex;
std::vector<CallRecord> records;

void record(FileCall call, int fd, const char* path, std::string_view text = {}) {
  if (!recording.load(std::memory_order_relaxed)) return;
  std::lock_guard lock(record_mutex);
  records.push_back({call, fd, path, std::string(text)});
}

struct Fault {
  bool hit = false;
  int error = 0;
};

Fault next_fault(FileCall call) {
  if (!plan_active.load(std::memory_order_relaxed)) return {};
  std::lock_guard lock(plan_mutex);
  const bool counted = plan.call == FileCall::any ? call != FileCall::remove : plan.call == call;
  if (!counted) return {};
  ++plan_count;
  const bool hit =
      plan.nth > 0 && (plan_count == plan.nth || (plan.sticky && plan_count > plan.nth));
  return {hit, plan.error};
}

// Runs `call` until it is not interrupted. An injected EINTR goes through the same loop.
template <class Call>
auto retry(FileCall kind, Call call) -> decltype(call()) {
  for (;;) {
    const Fault fault = next_fault(kind);
    if (fault.hit && fault.error == EINTR) continue;
    if (fault.hit && fault.error != 0) return -fault.error;
    const auto result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

void set_fault_plan(const FaultPlan& next) {
  std::lock_guard lock(plan_mutex);
  plan = next;
  plan_count = 0;
  plan_active.store(true, std::memory_order_relaxed);
}

int64_t clear_fault_plan() {
  std::lock_guard lock(plan_mutex);
  plan_active.store(false, std::memory_order_relaxed);
  return plan_count;
}

void start_recording() {
  std::lock_guard lock(record_mutex);
  records.clear();
  recording = true;
}

std::vector<CallRecord> stop_recording() {
  std::lock_guard lock(record_mutex);
  recording = false;
  return std::move(records);
}

namespace calls {

int open(const char* path, int flags, mode_t mode) {
  const int fd = retry(FileCall::open, [&] { return ::open(path, flags | O_CLOEXEC, mode); });
  if (fd >= 0) record(FileCall::open, fd, path);
  return fd;
}

ssize_t write(int fd, const void* data, size_t size) {
  for (;;) {
    const Fault fault = next_fault(FileCall::write);
    if (fault.hit && fault.error != 0 && fault.error != EINTR) return -fault.error;
    if (fault.hit && fault.error == EINTR) continue;
    const size_t part = fault.hit ? (size + 1) / 2 : size;
    const ssize_t written = ::write(fd, data, part);
    if (written >= 0) {
      record(
          FileCall::write, fd, "", {static_cast<const char*>(data), static_cast<size_t>(written)});
      return written;
    }
    if (errno != EINTR) return -errno;
  }
}

ssize_t read(int fd, void* data, size_t size) {
  for (;;) {
    const ssize_t got = ::read(fd, data, size);
    if (got >= 0) return got;
    if (errno != EINTR) return -errno;
  }
}

int sync(int fd) {
  const int synced = retry(FileCall::sync, [&] { return ::fsync(fd); });
  if (synced >= 0) record(FileCall::sync, fd, "");
  return synced;
}

// Linux releases the descriptor even when close is interrupted: never retried.
int close(int fd) {
  return ::close(fd) == 0 || errno == EINTR ? 0 : -errno;
}

int rename(const char* from, const char* to) {
  const int renamed = retry(FileCall::rename, [&] { return std::rename(from, to); });
  if (renamed >= 0) record(FileCall::rename, -1, from, to);
  return renamed;
}

int exchange(const char* a, const char* b) {
  return retry(FileCall::rename,
               [&] { return ::renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE); });
}

int make_directory(const char* path) {
  return retry(FileCall::make_directory, [&] { return ::mkdir(path, 0777); });
}

int remove_file(const char* path) {
  const int removed = retry(FileCall::remove, [&] { return ::unlink(path); });
  if (removed >= 0) record(FileCall::remove, -1, path);
  return removed;
}

}  // namespace calls
}  // namespace weir::platform
