#include "io/record/record.h"

#include "base/crc32c.h"

namespace weir::io {
namespace {

constexpr std::size_t kHeader = 12;  // length and its checksum
constexpr std::size_t kFooter = 4;

template <class Int>
void append_little_endian(Int value, std::string* out) {
  for (std::size_t i = 0; i < sizeof(Int); ++i) {
    out->push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  }
}

template <class Int>
Int read_little_endian(std::string_view bytes) {
  Int value = 0;
  for (std::size_t i = sizeof(Int); i-- > 0;) {
    value = static_cast<Int>(value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::uint32_t checksum(std::string_view bytes) {
  return mask_crc32c(crc32c(bytes.data(), bytes.size()));
}

}  // namespace

void append_record(std::string_view data, std::string* file) {
  const std::size_t start = file->size();
  append_little_endian<std::uint64_t>(data.size(), file);
  append_little_endian(checksum(std::string_view(*file).substr(start, 8)), file);
  file->append(data);
  append_little_endian(checksum(data), file);
}

bool RecordReader::stop(Status status) {
  status_ = status;
  return false;
}

bool RecordReader::next(std::string_view* record) {
  const std::string_view rest = file_.substr(offset_);
  if (rest.empty() || !status_.ok()) return false;
  const Status cut_off(Code::out_of_range, "the last record is cut off");
  if (rest.size() < kHeader) return stop(cut_off);
  if (read_little_endian<std::uint32_t>(rest.substr(8)) != checksum(rest.substr(0, 8))) {
    return stop({Code::data_loss, "the checksum of a record's length does not match"});
  }
  const auto length = read_little_endian<std::uint64_t>(rest);
  const std::size_t left = rest.size() - kHeader;
  if (left < kFooter || length > left - kFooter) return stop(cut_off);
  const std::string_view data = rest.substr(kHeader, length);
  if (read_little_endian<std::uint32_t>(rest.substr(kHeader + length)) != checksum(data)) {
    return stop({Code::data_loss, "the checksum of a record's data does not match"});
  }
  offset_ += kHeader + length + kFooter;
  *record = data;
  return true;
}

}  // namespace weir::io
