#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace weir::io {

/// TFRecord framing: u64 length, masked CRC-32C of the length, the data, masked CRC-32C of the
/// data, all little-endian. Event files and datasets are such records one after the other.

/// Appends `data` as one record to `file`.
void append_record(std::string_view data, std::string* file);

/// Reads the records of a file held in memory.
class RecordReader {
 public:
  explicit RecordReader(std::string_view file) : file_(file) {}

  /// True with the next record in `record` (a view into the file); false at the end of the file, at
  /// a record that is not complete yet, or at a damaged one: `status` tells which.
  bool next(std::string_view* record);

  /// ok at a clean end; out_of_range when the last record is cut off; data_loss when a checksum
  /// does not match.
  Status status() const { return status_; }

  /// Bytes of complete records read so far.
  std::uint64_t offset() const { return offset_; }

 private:
  bool stop(Status status);

  std::string_view file_;
  std::uint64_t offset_ = 0;
  Status status_;
};

}  // namespace weir::io
