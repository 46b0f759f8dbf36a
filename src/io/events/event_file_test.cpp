#include "io/events/event_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "io/events/event_reader.h"
#include "io/events/summaries.h"
#include "platform/file.h"
#include "platform/file_faults.h"
#include "platform/file_writer.h"
#include "platform/test_directory.h"

namespace weir::io {
namespace {

using platform::FileCall;
using platform::TestDirectory;

proto::Event scalar_event(std::int64_t step) {
  proto::Event event;
  event.set_step(step);
  *event.mutable_summary()->add_value() = scalar_summary("loss", static_cast<float>(step));
  return event;
}

std::vector<proto::Event> events_in(const std::string& path) {
  std::vector<proto::Event> events;
  const auto status = read_events(path, &events);
  EXPECT_TRUE(status.ok()) << status.message;
  return events;
}

TEST(EventFile, StartsWithItsVersion_AndHasTensorBoardsName) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir / "logs/train").ok());
  EXPECT_EQ(platform::base_name(file.path()).find("events.out.tfevents."), 0U);
  const auto events = events_in(file.path());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_GT(events[0].wall_time(), 1.7e9);
}

TEST(EventFile, Flush_MakesEventsReadable) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir.path()).ok());
  file.add(scalar_event(1));
  file.add(scalar_event(2));
  ASSERT_TRUE(file.flush().ok());
  EXPECT_EQ(events_in(file.path()).size(), 3U);
  file.add(scalar_event(3));
  ASSERT_TRUE(file.close().ok());
  const auto events = events_in(file.path());
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[3].step(), 3);
  EXPECT_EQ(events[3].summary().value(0).tensor().float_val(0), 3.0F);
}

TEST(EventFile, SmallEvents_AreWrittenWithoutFlush) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir.path(), {.write_every_ms = 1}).ok());
  file.add(scalar_event(1));
  for (int i = 0; i < 5000 && events_in(file.path()).size() < 2; ++i)
    ::usleep(1000);
  EXPECT_EQ(events_in(file.path()).size(), 2U);
}

TEST(EventFile, Destructor_WritesWhatIsQueued) {
  const TestDirectory dir;
  std::string path;
  {
    EventFile file;
    ASSERT_TRUE(file.open(dir.path()).ok());
    path = file.path();
    file.add(scalar_event(1));
  }
  EXPECT_EQ(events_in(path).size(), 2U);
}

TEST(EventFile, ManyThreadsAndASmallQueue_LoseNothing) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir.path(), {.queue_bytes = 200}).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i)
        file.add(scalar_event(i));
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  ASSERT_TRUE(file.close().ok());
  EXPECT_EQ(events_in(file.path()).size(), 2001U);
}

TEST(EventFile, TwoInOneSecond_HaveDifferentNames) {
  const TestDirectory dir;
  EventFile a;
  EventFile b;
  ASSERT_TRUE(a.open(dir.path()).ok());
  ASSERT_TRUE(b.open(dir.path()).ok());
  EXPECT_LT(a.path(), b.path());
}

TEST(EventFile, UnwritableDirectory_IsReportedAtOpen) {
  const TestDirectory dir;
  ASSERT_TRUE(platform::make_directories(dir / "a").ok());
  EventFile file;
  EXPECT_EQ(file.open("/proc/weir").error, ENOENT);
  platform::set_fault_plan({FileCall::open, 1, EACCES});
  const auto status = file.open(dir / "a");
  platform::clear_fault_plan();
  EXPECT_EQ(status.error, EACCES);
  EXPECT_NE(status.message.find(dir / "a"), std::string::npos) << status.message;
}

TEST(EventFile, FullDisk_IsReportedOnce_AndLaterEventsAreWritten) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir.path()).ok());
  file.add(scalar_event(1));
  ASSERT_TRUE(file.flush().ok());
  platform::set_fault_plan({FileCall::write, 1, ENOSPC});
  file.add(scalar_event(2));
  file.add(scalar_event(3));
  const auto status = file.flush();
  platform::clear_fault_plan();
  EXPECT_EQ(status.error, ENOSPC);
  EXPECT_NE(status.message.find("2 events were lost"), std::string::npos) << status.message;
  EXPECT_TRUE(file.flush().ok());
  file.add(scalar_event(4));
  ASSERT_TRUE(file.close().ok());
  const auto events = events_in(file.path());
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[2].step(), 4);
}

TEST(EventFile, HalfWrittenRecord_IsTakenBack) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir.path()).ok());
  std::string bytes;
  ASSERT_TRUE(platform::read_file(file.path(), &bytes).ok());
  rlimit old = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit tight = {bytes.size() + 10, old.rlim_max};
  ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  file.add(scalar_event(1));
  EXPECT_EQ(file.flush().error, EFBIG);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  ::signal(SIGXFSZ, SIG_DFL);
  file.add(scalar_event(2));
  ASSERT_TRUE(file.close().ok());
  const auto events = events_in(file.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].step(), 2);
}

TEST(EventFile, AfterAFork_TheChildLeavesTheFileAlone) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir.path()).ok());
  file.add(scalar_event(1));
  ASSERT_TRUE(file.flush().ok());
  const pid_t child = ::fork();
  if (child == 0) {
    file.add(scalar_event(2));
    const bool refused = file.flush().error == EBADF;
    file = EventFile();
    ::_exit(refused ? 0 : 1);
  }
  int result = -1;
  ASSERT_EQ(::waitpid(child, &result, 0), child);
  EXPECT_EQ(result, 0);
  ASSERT_TRUE(file.close().ok());
  EXPECT_EQ(events_in(file.path()).size(), 2U);
}

TEST(EventReader, DamagedRecord_IsReportedWithTheEventsBeforeIt) {
  const TestDirectory dir;
  EventFile file;
  ASSERT_TRUE(file.open(dir.path()).ok());
  file.add(scalar_event(1));
  ASSERT_TRUE(file.close().ok());
  std::string bytes;
  ASSERT_TRUE(platform::read_file(file.path(), &bytes).ok());
  bytes[bytes.size() - 6] = static_cast<char>(bytes[bytes.size() - 6] ^ 1);
  ASSERT_TRUE(platform::write_file_atomic(file.path(), bytes).ok());
  std::vector<proto::Event> events;
  EXPECT_EQ(read_events(file.path(), &events).error, EBADMSG);
  EXPECT_EQ(events.size(), 1U);
}

}  // namespace
}  // namespace weir::io
