#include "platform/file_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <vector>

#include "platform/file.h"
#include "platform/file_faults.h"
#include "platform/test_directory.h"

namespace weir::platform {
namespace {

constexpr std::array<std::string_view, 2> kEntries = {"model", "data"};

std::string content_of(const std::string& path) {
  std::string content;
  const FileStatus status = read_file(path, &content);
  return status.ok() ? content : status.message;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  EXPECT_TRUE(list_directory(path, &names).ok());
  return names;
}

FileStatus save_directory(const std::string& path, const std::string& text) {
  AtomicDirectory directory;
  if (FileStatus status = directory.open(path, kEntries); !status.ok()) return status;
  const std::string data = join_path(directory.staging(), "data");
  if (FileStatus status = make_directories(data); !status.ok()) return status;
  for (const char* name : {"data/part", "model"}) {
    AppendFile file;
    const std::string entry = join_path(directory.staging(), name);
    if (FileStatus status = AppendFile::create(entry, &file); !status.ok()) return status;
    if (FileStatus status = file.append(text); !status.ok()) return status;
    if (FileStatus status = file.close(); !status.ok()) return status;
  }
  return directory.commit();
}

std::string directory_content(const std::string& path) {
  return content_of(join_path(path, "model")) + "+" + content_of(join_path(path, "data/part"));
}

TEST(AtomicFile, WithoutCommit_LeavesNothing) {
  const TestDirectory dir;
  {
    AtomicFile file;
    ASSERT_TRUE(file.open(dir / "f").ok());
    ASSERT_TRUE(file.append("half").ok());
    EXPECT_EQ(names_in(dir.path()).size(), 1U);
  }
  EXPECT_TRUE(names_in(dir.path()).empty());
}

TEST(AtomicFile, LinkAtTarget_StaysALink) {
  const TestDirectory dir;
  ASSERT_TRUE(make_directories(dir / "real").ok());
  ASSERT_TRUE(write_file_atomic(dir / "real/f", "old").ok());
  ASSERT_EQ(::symlink("real/f", (dir / "link").c_str()), 0);
  ASSERT_TRUE(write_file_atomic(dir / "link", "new").ok());
  EXPECT_EQ(content_of(dir / "real/f"), "new");
  struct stat info = {};
  ASSERT_EQ(::lstat((dir / "link").c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
}

TEST(AtomicFile, Replacing_KeepsThePermissions) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", "old").ok());
  ASSERT_EQ(::chmod((dir / "f").c_str(), 0640), 0);
  ASSERT_TRUE(write_file_atomic(dir / "f", "new").ok());
  struct stat info = {};
  ASSERT_EQ(::stat((dir / "f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640U);
}

TEST(AtomicFile, NotARegularFile_IsRefused) {
  const TestDirectory dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(write_file_atomic(dir / "pipe", "x").error, EINVAL);
  EXPECT_EQ(write_file_atomic(dir.path(), "x").error, EISDIR);
  EXPECT_EQ(write_file_atomic("/dev/null", "x").error, EINVAL);
}

TEST(AtomicFile, OddPaths_Work) {
  const TestDirectory dir;
  const std::string longest(255, 'n');
  for (const std::string& name : {std::string("a b\tc"), std::string("\xe5\x90\x8d"), longest}) {
    ASSERT_TRUE(write_file_atomic(dir / name, name).ok()) << name;
    EXPECT_EQ(content_of(dir / name), name);
  }
  const FileStatus status = write_file_atomic(dir / std::string(256, 'n'), "x");
  EXPECT_EQ(status.error, ENAMETOOLONG);
  EXPECT_EQ(names_in(dir.path()).size(), 3U);
}

TEST(AtomicFile, MissingDirectory_NamesTheTarget) {
  const FileStatus status = write_file_atomic("/no/such/dir/f", "x");
  EXPECT_EQ(status.message, "cannot write '/no/such/dir/f': No such file or directory");
}

TEST(AtomicFile, Leftovers_OfTheDeadAreCleaned_OfTheLivingKept) {
  const TestDirectory dir;
  const int stale = ::open((dir / ".weir-tmp-1-0").c_str(), O_CREAT | O_WRONLY, 0666);
  ASSERT_GE(stale, 0);
  ::close(stale);
  ASSERT_TRUE(make_directories(dir / ".weir-tmp-1-1/variables").ok());
  AtomicFile living;
  ASSERT_TRUE(living.open(dir / "slow").ok());
  ASSERT_TRUE(write_file_atomic(dir / "quick", "q").ok());
  EXPECT_EQ(names_in(dir.path()).size(), 2U);
  ASSERT_TRUE(living.append("s").ok());
  ASSERT_TRUE(living.commit().ok());
  EXPECT_EQ(names_in(dir.path()), (std::vector<std::string>{"quick", "slow"}));
}

TEST(AtomicDirectory, Commit_PublishesAndReplaces) {
  const TestDirectory dir;
  ASSERT_TRUE(save_directory(dir / "sub/m", "one").ok());
  EXPECT_EQ(directory_content(dir / "sub/m"), "one+one");
  ASSERT_TRUE(save_directory(dir / "sub/m/", "two").ok());
  EXPECT_EQ(directory_content(dir / "sub/m"), "two+two");
  EXPECT_EQ(names_in(dir / "sub"), std::vector<std::string>{"m"});
}

TEST(AtomicDirectory, EmptyDirectoryAtTarget_IsFilled) {
  const TestDirectory dir;
  ASSERT_TRUE(make_directories(dir / "m").ok());
  ASSERT_TRUE(save_directory(dir / "m", "one").ok());
  EXPECT_EQ(directory_content(dir / "m"), "one+one");
}

TEST(AtomicDirectory, ForeignFiles_AreNeverSweptAway) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "thesis.tex", "years").ok());
  const FileStatus status = save_directory(dir.path(), "one");
  EXPECT_EQ(status.error, EEXIST);
  EXPECT_NE(status.message.find("it holds 'thesis.tex'"), std::string::npos) << status.message;
  EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"thesis.tex"});
}

TEST(AtomicDirectory, WithoutExchange_TheOldCopyOutlivesACrash) {
  const TestDirectory dir;
  // As a crash between the two renames leaves it: moved aside, the new one not in place yet.
  const std::string aside = dir / "m.weir-old";
  ASSERT_TRUE(save_directory(aside, "old").ok());
  ASSERT_TRUE(save_directory(dir / "another", "one").ok());
  EXPECT_EQ(directory_content(aside), "old+old") << "cleaned away by a save beside it";
  ASSERT_TRUE(save_directory(dir / "m", "new").ok());
  EXPECT_EQ(names_in(dir.path()), (std::vector<std::string>{"another", "m"}));
  set_fault_plan({FileCall::rename, 1, EINVAL});
  EXPECT_TRUE(save_directory(dir / "m", "newer").ok());
  clear_fault_plan();
  EXPECT_EQ(directory_content(dir / "m"), "newer+newer");
  EXPECT_EQ(names_in(dir.path()), (std::vector<std::string>{"another", "m"}));
}

TEST(AtomicDirectory, FileAtTarget_IsRefused) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "m", "a file").ok());
  EXPECT_EQ(save_directory(dir / "m", "one").error, ENOTDIR);
  EXPECT_EQ(content_of(dir / "m"), "a file");
}

// Runs `save` with its n-th system call failing, for every n, and checks what is left behind.
class SaveFaults : public ::testing::Test {
 protected:
  using Save = std::function<FileStatus(const std::string&)>;
  using Load = std::function<std::string()>;

  void expect_clean_failures(const TestDirectory& dir, const Save& save, const Load& load) {
    ASSERT_TRUE(save("old").ok());
    set_fault_plan({});
    ASSERT_TRUE(save("old").ok());
    const int64_t calls = clear_fault_plan();
    ASSERT_GT(calls, 3);
    const std::string old_content = load();
    ASSERT_TRUE(save("new").ok());
    const std::string new_content = load();
    for (const int error : {ENOSPC, EIO, EACCES}) {
      for (int64_t n = 1; n <= calls; ++n) {
        ASSERT_TRUE(save("old").ok());
        set_fault_plan({FileCall::any, n, error, error == ENOSPC});
        const FileStatus status = save("new");
        clear_fault_plan();
        SCOPED_TRACE("call " + std::to_string(n) + ": " + status.message);
        EXPECT_EQ(status.error, error);
        EXPECT_NE(status.message.find(dir.path()), std::string::npos);
        // Only the sync of the directory comes after the new content has its name.
        const std::string content = load();
        EXPECT_TRUE(content == old_content || (content == new_content && n >= calls - 1))
            << content;
        ASSERT_TRUE(save("next").ok());
        EXPECT_EQ(names_in(dir.path()).size(), 1U) << "temporary files stayed";
      }
    }
  }
};

TEST_F(SaveFaults, File_EveryFailingCall_LeavesTheOldFile) {
  const TestDirectory dir;
  expect_clean_failures(
      dir,
      [&](const std::string& text) { return write_file_atomic(dir / "f", text); },
      [&] { return content_of(dir / "f"); });
}

TEST_F(SaveFaults, Directory_EveryFailingCall_LeavesTheOldDirectory) {
  const TestDirectory dir;
  expect_clean_failures(
      dir,
      [&](const std::string& text) { return save_directory(dir / "m", text); },
      [&] { return directory_content(dir / "m"); });
}

TEST(FaultPlan, ShortWritesAndInterrupts_AreCompleted) {
  const TestDirectory dir;
  const std::string text(10000, 'x');
  set_fault_plan({FileCall::write, 1, 0});
  EXPECT_TRUE(write_file_atomic(dir / "f", text).ok());
  EXPECT_EQ(clear_fault_plan(), 2);
  EXPECT_EQ(content_of(dir / "f"), text);
  for (const FileCall call : {FileCall::open, FileCall::write, FileCall::sync, FileCall::rename}) {
    set_fault_plan({call, 1, EINTR});
    EXPECT_TRUE(write_file_atomic(dir / "f", "again").ok());
    clear_fault_plan();
    EXPECT_EQ(content_of(dir / "f"), "again");
  }
}

TEST(AppendFile, FailedAppend_CanBeTakenBack) {
  const TestDirectory dir;
  AppendFile file;
  ASSERT_TRUE(AppendFile::create(dir / "log", &file).ok());
  ASSERT_TRUE(file.append("complete").ok());
  set_fault_plan({FileCall::write, 1, 0});
  ASSERT_TRUE(file.append("+more").ok());
  set_fault_plan({FileCall::write, 1, ENOSPC});
  EXPECT_EQ(file.append("+torn").error, ENOSPC);
  clear_fault_plan();
  ASSERT_TRUE(file.truncate(file.size()).ok());
  ASSERT_TRUE(file.append("+end").ok());
  ASSERT_TRUE(file.close().ok());
  EXPECT_EQ(content_of(dir / "log"), "complete+more+end");
  EXPECT_EQ(AppendFile::create(dir / "log", &file).error, EEXIST);
}

// A child saves without end and is killed at a moment that varies from round to round.
void kill_a_saving_child(const std::function<void(const std::string&)>& save, int round) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (int i = 0;; ++i) {
      save(std::to_string(i % 10) + std::string(20000, 'x'));
    }
  }
  ::usleep(1000 + 137 * (round % 53));
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST(AtomicFile, KilledWhileSaving_TheFileIsWhole) {
  const TestDirectory dir;
  ASSERT_TRUE(write_file_atomic(dir / "f", std::string(20001, 'x')).ok());
  for (int round = 0; round < 40; ++round) {
    kill_a_saving_child(
        [&](const std::string& text) { static_cast<void>(write_file_atomic(dir / "f", text)); },
        round);
    EXPECT_EQ(content_of(dir / "f").size(), 20001U);
  }
  ASSERT_TRUE(write_file_atomic(dir / "f", "last").ok());
  EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"f"});
}

TEST(AtomicDirectory, KilledWhileSaving_TheDirectoryIsWhole) {
  const TestDirectory dir;
  ASSERT_TRUE(save_directory(dir / "m", std::string(20001, 'x')).ok());
  for (int round = 0; round < 40; ++round) {
    kill_a_saving_child(
        [&](const std::string& text) { static_cast<void>(save_directory(dir / "m", text)); },
        round);
    const std::string model = content_of(dir / "m/model");
    EXPECT_EQ(model.size(), 20001U);
    EXPECT_EQ(model, content_of(dir / "m/data/part"));
  }
  ASSERT_TRUE(save_directory(dir / "m", "last").ok());
  EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"m"});
}

}  // namespace
}  // namespace weir::platform
