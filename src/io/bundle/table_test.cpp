#include "io/bundle/table.h"

#include <gtest/gtest.h>
#include <snappy.h>
#include <weir/error.h>

#include "base/crc32c.h"
#include "io/bundle/cursor.h"
#include "io/bundle/table_format.h"

namespace weir::io::bundle {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::vector<TableEntry> many(int count) {
  std::vector<TableEntry> entries;
  for (int i = 0; i < count; ++i) {
    std::string number = std::to_string(i);
    number.insert(0, 7 - number.size(), '0');
    entries.emplace_back("model/layer/" + number + "/VALUE",
                         std::string(static_cast<std::size_t>(i % 50), 'v'));
  }
  return entries;
}

// A table of one block, stored as given.
std::string one_block(std::string stored, char compression, std::string_view key) {
  const auto finish = [](std::string block, char kind) {
    block.push_back(kind);
    append_u32(mask_crc32c(crc32c(block.data(), block.size())), &block);
    return block;
  };
  const std::size_t size = stored.size();
  std::string file = finish(std::move(stored), compression);
  std::string handle("\0", 1);
  append_varint(size, &handle);
  std::string index{'\0', static_cast<char>(key.size()), static_cast<char>(handle.size())};
  index += std::string(key) + handle + std::string(4, '\0');
  append_u32(1, &index);
  std::string footer = handle;
  append_varint(file.size(), &footer);
  append_varint(index.size(), &footer);
  footer.resize(kFooterSize - kMagic.size(), '\0');
  return file + finish(index, kUncompressed) + footer + std::string(kMagic);
}

TEST(Table, HasTheBytesThatTensorFlowAccepts) {
  const std::string file =
      format_table({{"", from_hex("08011a020801")},
                    {"w/.ATTRIBUTES/VARIABLE_VALUE", from_hex("0801120412020802280835593ce535")}});
  EXPECT_EQ(
      file,
      from_hex("00000608011a020801001c0f772f2e415454524942555445532f5641524941424c455f56414c55"
               "450801120412020802280835593ce535000000000100000000"
               "91b3346f000000000100000000c0f2a1b000010278003f000000000100000000f84d77f5"
               "4408510e000000000000000000000000000000000000000000000000000000000000000000000000"
               "57fb808b247547db"));
}

TEST(Table, ReadsWhatItWrites) {
  for (const int count : {1, 16, 17, 20000}) {
    const std::vector<TableEntry> entries = many(count);
    EXPECT_EQ(parse_table(format_table(entries), "t"), entries) << count;
  }
}

TEST(Table, ReadsSnappyBlocks) {
  std::string block{'\0', '\1', '\100'};
  block += "k" + std::string(64, 'a') + std::string(4, '\0');
  append_u32(1, &block);
  std::string compressed;
  snappy::Compress(block.data(), block.size(), &compressed);
  const auto entries = parse_table(one_block(compressed, kSnappy, "k"), "t");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].second, std::string(64, 'a'));
}

TEST(Table, RefusesSnappyBlocksThatLie) {
  for (const char* hex : {"ffffffff0f", "0a00", "", "80808008", "04fe0100"}) {
    EXPECT_THROW(parse_table(one_block(from_hex(hex), kSnappy, "k"), "t"), Error) << hex;
  }
  EXPECT_THROW(parse_table(one_block("abcdefgh", 7, "k"), "t"), Error);
}

TEST(Table, RefusesEveryChangedByteAndEveryPrefix) {
  const std::string file = format_table(many(40));
  for (std::size_t i = 0; i < file.size(); ++i) {
    EXPECT_THROW(parse_table(file.substr(0, i), "t"), Error);
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    try {
      // Bytes of the padding and of the unused block are not looked at.
      EXPECT_EQ(parse_table(changed, "t"), many(40));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::data_loss);
    }
  }
}

TEST(Table, RefusesDamagedBlocks) {
  // shared, added, value size, bytes; then restart points.
  const std::string tail = std::string(4, '\0') + from_hex("01000000");
  for (const std::string& entry : {from_hex("050100") + "k",
                                   from_hex("00ff00") + "k",
                                   from_hex("0001ff") + "k",
                                   from_hex("0001ffffffffffffffffff01") + "k",
                                   from_hex("000100") + "k" + from_hex("000100") + "k",
                                   from_hex("000100") + "k" + from_hex("000100") + "j"}) {
    std::size_t budget = 1000;
    std::vector<TableEntry> entries;
    EXPECT_THROW(parse_block(entry + tail, "t", &budget, &entries), Error);
  }
  std::size_t budget = 1000;
  std::vector<TableEntry> entries;
  EXPECT_THROW(parse_block(from_hex("ffffff7f"), "t", &budget, &entries), Error);
}

TEST(Table, LimitsTheMemoryThatSharedPrefixesTake) {
  std::string block{'\0', '\x7f', '\0'};
  block += std::string(127, 'k');
  for (int i = 0; i < 100; ++i)
    block +=
        std::string{'\x7f', '\1', '\0', 'k'};  // out of order before long, unless refused first
  block += std::string(4, '\0') + from_hex("01000000");
  std::size_t budget = 300;
  std::vector<TableEntry> entries;
  EXPECT_THROW(parse_block(block, "t", &budget, &entries), Error);
  EXPECT_LE(entries.size(), 3U);
}

}  // namespace
}  // namespace weir::io::bundle
