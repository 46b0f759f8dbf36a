#include <gtest/gtest.h>
#include <weir/error.h>

#include <cerrno>
#include <cstdint>

#include "io/bundle/bundle.h"
#include "io/bundle/layout.h"
#include "io/file/file.h"
#include "platform/file.h"
#include "platform/file_faults.h"
#include "platform/test_directory.h"

namespace weir::io::bundle {
namespace {

using platform::TestDirectory;

Tensor range(std::int64_t rows, std::int64_t columns, float start = 0) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows * columns; ++i)
    values.push_back(start + float(i));
  return Tensor::from(values, {rows, columns});
}

void write(const std::string& prefix, float value, int count = 3) {
  Writer writer(prefix);
  for (int i = 0; i < count; ++i)
    writer.add("t" + std::to_string(i), Tensor::full({4}, value));
  writer.commit();
}

float value_of(const std::string& prefix) {
  const Tensor value = Reader(prefix).read("t0");
  return value.data<float>()[3];
}

std::size_t files_in(const std::string& directory) {
  std::vector<std::string> names;
  EXPECT_TRUE(platform::list_directory(directory, &names).ok());
  return names.size();
}

TEST(BundleWriter, WritesWhatTheReaderReads) {
  const TestDirectory directory;
  Writer writer(directory / "ck");
  writer.add("b", range(3, 5));
  writer.add("a", Tensor(2.5));
  writer.add("empty", Tensor::zeros({0, 7}, DType::int8));
  writer.add("text", Tensor({"ab", ""}));
  writer.add("bf16", Tensor::zeros({3}, DType::bfloat16));
  writer.commit();
  const Reader reader(directory / "ck");
  ASSERT_EQ(reader.tensors().size(), 5U);
  EXPECT_EQ(reader.tensors()[0].name, "a");
  EXPECT_EQ(reader.read("a").item<double>(), 2.5);
  EXPECT_EQ(reader.read("b").to_string(), range(3, 5).to_string());
  EXPECT_EQ(reader.read("empty").shape(), (Shape{0, 7}));
  EXPECT_EQ(reader.read("text").to_string(), Tensor({"ab", ""}).to_string());
  EXPECT_EQ(reader.read("bf16").dtype(), DType::bfloat16);
  EXPECT_EQ(files_in(directory.path()), 2U);
}

TEST(BundleWriter, AlignsTensorsSoThatTheyAreReadInPlace) {
  const TestDirectory directory;
  {
    Writer writer(directory / "ck");
    writer.add("a", Tensor(true));
    writer.add("b", range(100, 100));
    writer.commit();
  }
  Tensor t;
  {
    const Reader reader(directory / "ck");
    t = reader.read("b");
    EXPECT_EQ(t.raw_data(), reader.read("b").raw_data());
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.raw_data()) % 64, 0U);
  remove(directory / "ck");
  EXPECT_EQ(t.to_string(), range(100, 100).to_string());
}

TEST(BundleWriter, StartsAnotherShardWhenOneIsFull) {
  const TestDirectory directory;
  Writer writer(directory / "ck", {.shard_bytes = 64});
  for (int i = 0; i < 5; ++i)
    writer.add("t" + std::to_string(i), range(4, 4, float(i)));
  writer.commit();
  EXPECT_TRUE(platform::file_exists(shard_path(directory / "ck", 4, 5)));
  const Reader reader(directory / "ck");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(reader.read("t" + std::to_string(i)).to_string(), range(4, 4, float(i)).to_string());
}

TEST(BundleWriter, WritesParts) {
  const TestDirectory directory;
  Writer writer(directory / "ck");
  writer.add_part("w", {4, 3}, {{0, 0}, {1, 3}}, range(1, 3));
  writer.add_part("w", {4, 3}, {{1, 0}, {3, 3}}, range(3, 3, 3));
  EXPECT_THROW(writer.add("w", range(4, 3)), Error);
  EXPECT_THROW(writer.add_part("w", {4, 3}, {{1, 0}, {3, 3}}, range(3, 3, 3)), Error);
  writer.commit();
  EXPECT_EQ(Reader(directory / "ck").read("w").to_string(), range(4, 3).to_string());
}

TEST(BundleWriter, EncodesTheKeysOfPartsAsTensorFlow) {
  const auto key = [](std::int64_t start, std::int64_t length) {
    proto::TensorSliceProto slice;
    slice.add_extent()->set_start(start);
    slice.mutable_extent(0)->set_length(length);
    const std::string bytes = part_key("w", slice);
    return bytes.substr(6);  // behind 00 'w' 00 01 01 01
  };
  EXPECT_EQ(key(0, 4), "\x80\x84");
  EXPECT_EQ(key(63, -1), "\xbf\x7f");
  EXPECT_EQ(key(64, -64), "\xc0\x40\x40");
  EXPECT_EQ(key(0x424242, -65), "\xf0\x42\x42\x42\x3f\xbf");
  EXPECT_EQ(key(-0x800, std::int64_t{1} << 40), std::string("\x38\x00\xfd\x00\x00\x00\x00\x00", 8));
}

TEST(BundleWriter, ReplacesABundleAsAWhole) {
  const TestDirectory directory;
  for (int i = 0; i < 4; ++i) {
    const std::string prefix = directory / "ck";
    write(prefix, float(i));
    EXPECT_EQ(value_of(prefix), float(i));
    EXPECT_EQ(files_in(directory.path()), 2U);
  }
}

TEST(BundleWriter, LeavesNothingWithoutCommit) {
  const TestDirectory directory;
  {
    Writer writer(directory / "ck");
    writer.add("a", Tensor(1.f));
    EXPECT_THROW(writer.add("a", Tensor(1.f)), Error);
    EXPECT_THROW(writer.add("", Tensor(1.f)), Error);
    EXPECT_THROW(writer.add("b", Tensor()), Error);
  }
  EXPECT_EQ(files_in(directory.path()), 0U);
  EXPECT_FALSE(exists(directory / "ck"));
  EXPECT_THROW(Writer("somewhere/"), Error);
}

// The number of system calls of one save over another.
int64_t count_calls() {
  const TestDirectory directory;
  write(directory / "ck", 1);
  platform::set_fault_plan({});
  write(directory / "ck", 2);
  return platform::clear_fault_plan();
}

// Every system call of a save fails in turn, in every way.
TEST(BundleWriter, KeepsTheOldBundleWhenACallFails) {
  for (const int error : {ENOSPC, 0}) {
    const int64_t calls = count_calls();
    EXPECT_GT(calls, 8);
    for (int64_t n = 1; n <= calls; ++n) {
      const TestDirectory directory;
      const std::string prefix = directory / "ck";
      write(prefix, 1);
      platform::set_fault_plan({.nth = n, .error = error});
      bool failed = false;
      try {
        write(prefix, 2);
      } catch (const Error& e) {
        failed = true;
        EXPECT_NE(std::string(e.what()).find(directory.path()), std::string::npos) << e.what();
      }
      platform::clear_fault_plan();
      const float found = value_of(prefix);
      EXPECT_TRUE(found == 1.f || found == 2.f) << n;
      EXPECT_TRUE(failed || found == 2.f) << n;
      write(prefix, 3);
      EXPECT_EQ(value_of(prefix), 3.f);
      EXPECT_EQ(files_in(directory.path()), 2U) << "call " << n << ", error " << error;
    }
  }
}

}  // namespace
}  // namespace weir::io::bundle
