#include "io/events/event_file.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "io/proto/event.pb.h"
#include "io/record/record.h"
#include "platform/file.h"
#include "platform/file_writer.h"

namespace weir::io {
namespace {

using platform::FileStatus;

constexpr std::uint64_t kWorthAWrite = 64 << 10;

double wall_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// A host's name as a part of a file name.
std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  std::string clean(name);
  for (char& c : clean) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!plain && c != '-' && c != '.' && c != '_') c = '_';
  }
  return clean;
}

// TensorBoard reads the files of a directory in the order of their names.
std::string file_name() {
  static std::atomic<unsigned> counter{0};
  char seconds[32];
  std::snprintf(seconds, sizeof(seconds), "%010lld", static_cast<long long>(wall_time()));
  return "events.out.tfevents." + std::string(seconds) + "." + host_name() + "." +
         std::to_string(::getpid()) + "." + std::to_string(counter++) + ".v2";
}

proto::Event first_event() {
  proto::Event event;
  event.set_wall_time(wall_time());
  event.set_file_version("brain.Event:2");
  event.mutable_source_metadata()->set_writer("weir");
  return event;
}

void append_event(const proto::Event& event, std::string* file) {
  append_record(event.SerializeAsString(), file);
}

}  // namespace

class EventFile::Writer {
 public:
  explicit Writer(const Options& options)
      : options_(options), worth_a_write_(std::min(kWorthAWrite, options.queue_bytes)) {}

  FileStatus open(const std::string& logdir);
  void add(std::string record);
  FileStatus flush();
  FileStatus close();
  const std::string& path() const { return file_.path(); }

 private:
  friend struct EventFile::WriterDeleter;

  bool in_other_process() const { return ::getpid() != process_; }
  FileStatus start();
  void stop();
  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void write(const std::string& batch, std::uint64_t count);
  FileStatus take_failure();

  const Options options_;
  const std::uint64_t worth_a_write_;
  platform::AppendFile file_;  // used by the writing thread alone, once it runs
  pid_t process_ = ::getpid();
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable work_;  // the thread waits here
  std::condition_variable done_;  // callers wait here
  std::string queue_;
  std::uint64_t queued_events_ = 0;
  std::uint64_t added_ = 0;    // events ever queued
  std::uint64_t handled_ = 0;  // events written or dropped
  std::uint64_t lost_ = 0;
  std::uint64_t flush_to_ = 0;
  bool stopping_ = false;
  FileStatus failure_;
};

// In a child after a fork the thread does not exist and its condition variables still count it as
// waiting: destroying them would wait forever. The child leaves the object alone.
void EventFile::WriterDeleter::operator()(Writer* writer) const {
  if (writer->in_other_process()) return;
  if (writer->thread_.joinable()) writer->stop();
  delete writer;
}

FileStatus EventFile::Writer::open(const std::string& logdir) {
  if (FileStatus status = platform::make_directories(logdir); !status.ok()) return status;
  const std::string path = platform::join_path(logdir, file_name());
  if (FileStatus status = platform::AppendFile::create(path, &file_); !status.ok()) return status;
  std::string record;
  append_event(first_event(), &record);
  if (FileStatus status = file_.append(record); !status.ok()) {
    static_cast<void>(platform::remove_all(path));
    return status;
  }
  return start();
}

FileStatus EventFile::Writer::start() {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return platform::file_error("start a thread to write", path(), error.code().value());
  }
  return {};
}

void EventFile::Writer::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void EventFile::Writer::add(std::string record) {
  if (in_other_process()) return;
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return queue_.size() < options_.queue_bytes || stopping_; });
  if (stopping_) return;
  const bool wake = queue_.empty() || queue_.size() + record.size() >= worth_a_write_;
  queue_ += record;
  ++queued_events_;
  ++added_;
  lock.unlock();
  if (wake) work_.notify_one();
}

FileStatus EventFile::Writer::flush() {
  if (in_other_process()) {
    return platform::file_error("write", path(), EBADF, "it belongs to the process before a fork");
  }
  std::unique_lock lock(mutex_);
  const std::uint64_t goal = added_;
  flush_to_ = goal;
  work_.notify_one();
  done_.wait(lock, [&] { return handled_ >= goal; });
  return take_failure();
}

FileStatus EventFile::Writer::close() {
  if (!thread_.joinable() || in_other_process()) return {};
  stop();
  FileStatus status = take_failure();
  FileStatus closed = file_.close();
  return status.ok() ? closed : status;
}

FileStatus EventFile::Writer::take_failure() {
  if (lost_ > 0) failure_.message += "; " + std::to_string(lost_) + " events were lost";
  lost_ = 0;
  return std::exchange(failure_, {});
}

void EventFile::Writer::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto urgent = [&] {
    return stopping_ || queue_.size() >= worth_a_write_ || flush_to_ > handled_;
  };
  work_.wait(lock, [&] { return urgent() || !queue_.empty(); });
  work_.wait_for(lock, std::chrono::milliseconds(options_.write_every_ms), urgent);
}

void EventFile::Writer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wait_for_work(lock);
    if (queue_.empty() && stopping_) return;
    const std::string batch = std::exchange(queue_, {});
    const std::uint64_t count = std::exchange(queued_events_, 0);
    lock.unlock();
    done_.notify_all();  // there is room in the queue again
    write(batch, count);
    lock.lock();
    handled_ += count;
    done_.notify_all();
  }
}

void EventFile::Writer::write(const std::string& batch, std::uint64_t count) {
  FileStatus status = file_.append(batch);
  if (status.ok()) return;
  const FileStatus restored = file_.truncate(file_.size());
  std::lock_guard lock(mutex_);
  lost_ += count;
  failure_ = restored.ok() ? std::move(status) : restored;
}

EventFile::EventFile() = default;
EventFile::EventFile(EventFile&&) noexcept = default;
EventFile& EventFile::operator=(EventFile&&) noexcept = default;
EventFile::~EventFile() = default;

FileStatus EventFile::open(const std::string& logdir, const Options& options) {
  std::unique_ptr<Writer, WriterDeleter> writer(new Writer(options));
  if (FileStatus status = writer->open(logdir); !status.ok()) return status;
  writer_ = std::move(writer);
  return {};
}

void EventFile::add(proto::Event event) {
  if (event.wall_time() == 0) event.set_wall_time(wall_time());
  std::string record;
  append_event(event, &record);
  writer_->add(std::move(record));
}

FileStatus EventFile::flush() {
  return writer_->flush();
}
FileStatus EventFile::close() {
  return writer_->close();
}
const std::string& EventFile::path() const {
  return writer_->path();
}

}  // namespace weir::io
