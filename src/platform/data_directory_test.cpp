#include "platform/data_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "platform/file.h"

namespace weir::platform {
namespace {

TEST(DataPath, ShippedFile_IsFoundAndComplete) {
  std::string text;
  ASSERT_TRUE(read_file(data_path("digits/digits.csv"), &text).ok());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1797);
}

TEST(DataPath, EnvironmentVariable_ComesFirst) {
  const std::string directory = testing::TempDir() + "weir_data";
  ASSERT_TRUE(make_directories(directory + "/digits").ok());
  std::ofstream(directory + "/digits/digits.csv") << "1\n";
  setenv("WEIR_DATA_DIR", directory.c_str(), 1);
  EXPECT_EQ(data_path("digits/digits.csv"), directory + "/digits/digits.csv");
  unsetenv("WEIR_DATA_DIR");
}

TEST(DataPath, UnknownFile_NamesAPlace) {
  EXPECT_NE(data_path("no/such.file").find("share/weir/no/such.file"), std::string::npos);
}

}  // namespace
}  // namespace weir::platform
