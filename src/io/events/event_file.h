#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/file_status.h"

namespace weir::proto {
class Event;
}

namespace weir::io {

/// Appends events to a new event file, from a thread of its own. Safe to use from any thread.
///
/// A write that fails takes the file back to its last complete record, drops the events of that
/// write and is reported by the next `flush()` or `close()`; later events are written again if the
/// disk allows.
class EventFile {
 public:
  struct Options {
    std::uint64_t queue_bytes = 16 << 20;  ///< `add` waits while more than this is queued
    std::int64_t write_every_ms = 1000;    ///< how long a small event may wait for company
  };

  EventFile();
  EventFile(EventFile&&) noexcept;
  EventFile& operator=(EventFile&&) noexcept;
  ~EventFile();

  /// Makes the directory `logdir` if need be and starts a file in it.
  platform::FileStatus open(const std::string& logdir, const Options& options);
  platform::FileStatus open(const std::string& logdir) { return open(logdir, Options()); }

  /// Queues an event; one without a wall time gets the present time.
  void add(proto::Event event);

  /// Waits until all events added so far are in the file.
  platform::FileStatus flush();

  /// Flushes and ends the file. Further events are dropped.
  platform::FileStatus close();

  const std::string& path() const;

 private:
  class Writer;
  struct WriterDeleter {
    void operator()(Writer* writer) const;
  };
  std::unique_ptr<Writer, WriterDeleter> writer_;
};

}  // namespace weir::io
