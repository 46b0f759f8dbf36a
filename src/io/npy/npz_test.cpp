#include "io/npy/npz.h"

#include <gtest/gtest.h>

#include "platform/test_directory.h"

namespace weir::io {
namespace {

Code error_code(const std::string& file) {
  try {
    parse_npz(file, "x.npz");
  } catch (const Error& error) {
    return error.code();
  }
  return Code::ok;
}

NamedTensors some_tensors() {
  return {
      {"b", Tensor{1.0F, 2.0F}}, {"scope/a", Tensor{{1, 2}, {3, 4}}}, {"e", Tensor::zeros({0})}};
}

TEST(Npz, Tensors_RoundTripInOrder) {
  const platform::TestDirectory dir;
  save_npz(dir / "x.npz", some_tensors());
  const NamedTensors back = load_npz(dir / "x.npz");
  ASSERT_EQ(back.size(), 3U);
  EXPECT_EQ(back[0].first, "b");
  EXPECT_EQ(back[1].first, "scope/a");
  EXPECT_EQ(back[1].second.describe(), "int32[2, 2]");
  EXPECT_EQ(back[1].second.data<std::int32_t>()[3], 4);
  EXPECT_EQ(back[2].second.size(), 0);
}

TEST(Npz, SameTensors_GiveTheSameBytes) {
  EXPECT_EQ(format_npz(some_tensors()), format_npz(some_tensors()));
}

TEST(Npz, NoTensors_RoundTrip) {
  EXPECT_TRUE(parse_npz(format_npz({}), "x").empty());
}

TEST(Npz, BadNames_AreErrors) {
  EXPECT_THROW(format_npz({{"a", Tensor(1)}, {"a", Tensor(2)}}), Error);
  EXPECT_THROW(format_npz({{"", Tensor(1)}}), Error);
}

TEST(Npz, DamagedArchives_AreErrors) {
  const std::string good = format_npz({{"a", Tensor{1.0F, 2.0F}}});
  EXPECT_EQ(error_code(""), Code::data_loss);
  EXPECT_EQ(error_code("no zip"), Code::data_loss);
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_EQ(error_code(good.substr(0, size)), Code::data_loss) << size;
  }
  std::string flipped = good;
  flipped[good.find("\x93NUMPY") + 130] ^= 1;  // an element: only the CRC can tell
  EXPECT_EQ(error_code(flipped), Code::data_loss);
}

}  // namespace
}  // namespace weir::io
