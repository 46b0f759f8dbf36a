#include "platform/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/file_writer.h"
#include "platform/test_directory.h"

namespace weir::platform {
namespace {

std::string content_of(const std::string& path) {
  std::string content;
  const FileStatus status = read_file(path, &content);
  return status.ok() ? content : status.message;
}

TEST(File, ReadFile_ReturnsAllBytes) {
  const TestDirectory dir;
  const std::string text("a\0b\n", 4);
  ASSERT_TRUE(write_file_atomic(dir / "f", text).ok());
  EXPECT_EQ(content_of(dir / "f"), text);
}

TEST(File, InputFile_GivesThePiecesOfAFile) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "abcde").ok());
  InputFile file;
  ASSERT_TRUE(InputFile::open(dir / "f", &file).ok());
  EXPECT_EQ(file.size(), 5u);
  char piece[3];
  std::size_t got = 0;
  ASSERT_TRUE(file.read(piece, &got).ok());
  EXPECT_EQ(std::string(piece, got), "abc");
  ASSERT_TRUE(file.read(piece, &got).ok());
  EXPECT_EQ(std::string(piece, got), "de");
  ASSERT_TRUE(file.read(piece, &got).ok());
  EXPECT_EQ(got, 0u);
}

TEST(File, InputFile_OfAFileThatShrinks_IsAnError) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "abcde").ok());
  InputFile file;
  ASSERT_TRUE(InputFile::open(dir / "f", &file).ok());
  ASSERT_EQ(::truncate((dir / "f").c_str(), 2), 0);
  char piece[4];
  std::size_t got = 0;
  EXPECT_EQ(file.read(piece, &got).error, EIO);
  EXPECT_EQ(InputFile::open(dir.path(), &file).error, EISDIR);
}

TEST(File, ReadFile_Missing_NamesPathAndCause) {
  std::string content = "kept";
  const FileStatus status = read_file("/no/such/file", &content);
  EXPECT_EQ(status.error, ENOENT);
  EXPECT_EQ(status.code(), Code::not_found);
  EXPECT_EQ(status.message, "cannot open '/no/such/file': No such file or directory");
  EXPECT_EQ(content, "kept");
}

TEST(File, ReadFile_DirectoryOrPipe_IsAnError) {
  const TestDirectory dir;
  std::string content;
  EXPECT_EQ(read_file(dir.path(), &content).error, EISDIR);
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_file(dir / "pipe", &content).error, EINVAL);
}

TEST(File, ReadFile_OverTheLimit_IsRefused) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "12345").ok());
  std::string content;
  EXPECT_TRUE(read_file(dir / "f", &content, 5).ok());
  EXPECT_EQ(read_file(dir / "f", &content, 4).error, EFBIG);
}

TEST(File, MappedFile_ShowsTheBytes_AndKeepsThemAfterReplacement) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "old").ok());
  MappedFile mapped;
  ASSERT_TRUE(MappedFile::open(dir / "f", &mapped).ok());
  ASSERT_TRUE(write_file_atomic(dir / "f", "a new content").ok());
  const auto bytes = mapped.bytes();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "old");
}

TEST(File, MappedFile_Empty_HasNoBytes) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "").ok());
  MappedFile mapped;
  ASSERT_TRUE(MappedFile::open(dir / "f", &mapped).ok());
  EXPECT_TRUE(mapped.bytes().empty());
}

TEST(File, MakeDirectories_MakesAllAndAcceptsExisting) {
  const TestDirectory dir;
  EXPECT_TRUE(make_directories(dir / "a/b/c").ok());
  EXPECT_TRUE(make_directories(dir / "a/b/c/").ok());
  EXPECT_TRUE(is_directory(dir / "a/b/c"));
  ASSERT_TRUE(write_file_atomic(dir / "file", "x").ok());
  EXPECT_FALSE(make_directories(dir / "file/below").ok());
}

TEST(File, ListDirectory_IsSorted) {
  const TestDirectory dir;
  for (const char* name : {"b", "a", "\xc3\xa9 with space"}) {
    ASSERT_TRUE(write_file_atomic(dir / name, "").ok());
  }
  std::vector<std::string> names;
  ASSERT_TRUE(list_directory(dir.path(), &names).ok());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "\xc3\xa9 with space"}));
}

TEST(File, RemoveAll_RemovesLinksNotTheirTargets) {
  const TestDirectory dir;
  ASSERT_TRUE(make_directories(dir / "tree/sub").ok());
  ASSERT_TRUE(make_directories(dir / "outside").ok());
  ASSERT_TRUE(write_file_atomic(dir / "outside/kept", "x").ok());
  ASSERT_EQ(::symlink((dir / "outside").c_str(), (dir / "tree/link").c_str()), 0);
  EXPECT_TRUE(remove_all(dir / "tree").ok());
  EXPECT_FALSE(file_exists(dir / "tree"));
  EXPECT_TRUE(file_exists(dir / "outside/kept"));
  EXPECT_TRUE(remove_all(dir / "never there").ok());
}

TEST(File, Paths_SplitAndJoin) {
  EXPECT_EQ(parent_path("a/b"), "a");
  EXPECT_EQ(parent_path("a/b/"), "a");
  EXPECT_EQ(parent_path("b"), ".");
  EXPECT_EQ(parent_path("/b"), "/");
  EXPECT_EQ(base_name("a/b/"), "b");
  EXPECT_EQ(base_name("b"), "b");
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("", "b"), "b");
}

}  // namespace
}  // namespace weir::platform
