#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

// Check value of the CRC catalogue (reveng, CRC-32/ISCSI) and RFC 3720, B.4.
TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c("123456789", 9), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0').data(), 32), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff').data(), 32), 0x62a8ab43U);
  EXPECT_EQ(crc32c(nullptr, 0), 0U);
  EXPECT_EQ(mask_crc32c(0xe3069283U), 0xc78ab0e5U);
  EXPECT_EQ(mask_crc32c(0), 0xa282ead8U);
}

TEST(Crc32c, Continued_EqualsTheWhole) {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  const std::uint32_t whole = crc32c(text.data(), text.size());
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::uint32_t first = crc32c(text.data(), cut);
    EXPECT_EQ(crc32c(text.data() + cut, text.size() - cut, first), whole);
  }
}

TEST(Crc32c, IsTheSameWithoutTheProcessorsHelp) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(crc32c(text.data(), text.size(), 7), crc32c_by_table(text.data(), text.size(), 7))
        << i;
    text.push_back(static_cast<char>(i * 37));
  }
}

}  // namespace
}  // namespace weir
