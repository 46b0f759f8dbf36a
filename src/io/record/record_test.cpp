#include "io/record/record.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::io {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string framed(std::string_view data) {
  std::string file;
  append_record(data, &file);
  return file;
}

std::vector<std::string> records_of(RecordReader& reader) {
  std::vector<std::string> records;
  for (std::string_view record; reader.next(&record);)
    records.emplace_back(record);
  return records;
}

// Vectors computed by an independent implementation whose files TensorFlow reads.
TEST(Record, Bytes_AreThoseOfTheFormat) {
  EXPECT_EQ(framed("abc"), from_hex("0300000000000000b099490e6162636e57f121"));
  EXPECT_EQ(framed(""), from_hex("000000000000000029039807d8ea82a2"));
}

TEST(Record, Reader_ReturnsWhatWasWritten) {
  const std::vector<std::string> written = {"", "abc", std::string(100000, 'x')};
  std::string file;
  for (const std::string& record : written)
    append_record(record, &file);
  RecordReader reader(file);
  EXPECT_EQ(records_of(reader), written);
  EXPECT_TRUE(reader.status().ok());
  EXPECT_EQ(reader.offset(), file.size());
}

TEST(Record, Truncated_AtEveryByte_GivesTheCompleteRecords) {
  const std::string file = framed("first") + framed("second");
  const std::size_t first = framed("first").size();
  for (std::size_t size = 0; size < file.size(); ++size) {
    RecordReader reader(std::string_view(file).substr(0, size));
    EXPECT_EQ(records_of(reader).size(), size >= first ? 1U : 0U);
    const bool clean = size == 0 || size == first;
    EXPECT_EQ(reader.status().code(), clean ? Code::ok : Code::out_of_range) << size;
  }
}

TEST(Record, EveryFlippedBit_IsDetected) {
  const std::string good = framed("data");
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    RecordReader reader(bad);
    EXPECT_TRUE(records_of(reader).empty());
    EXPECT_EQ(reader.status().code(), Code::data_loss) << "bit " << bit;
  }
}

}  // namespace
}  // namespace weir::io
