#include "keras/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace weir::inline v0::keras {
namespace {

/// What `body` writes to standard output while that is `fd`; `reader` is the other end of it.
std::string captured(int fd, int reader, auto&& body) {
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  dup2(fd, STDOUT_FILENO);
  body();
  std::fflush(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  close(fd);
  std::string text;
  char part[256];
  for (ssize_t n; (n = read(reader, part, sizeof part)) > 0;)
    text.append(part, std::size_t(n));
  close(reader);
  return text;
}

std::string on_terminal(unsigned short columns, auto&& body) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_GE(master, 0);
  grantpt(master);
  unlockpt(master);
  const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  const winsize size{24, columns, 0, 0};
  ioctl(slave, TIOCSWINSZ, &size);
  return captured(slave, master, body);
}

std::string in_pipe(auto&& body) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  return captured(ends[1], ends[0], body);
}

/// The second of two epochs of four steps.
void epoch(int verbose) {
  Progress progress(1, 2, 4, verbose);
  for (int i = 0; i < 4; ++i)
    progress.step({{"loss", 0.5}, {"accuracy", 0.75}});
  progress.end({{"loss", 0.5}, {"accuracy", 0.75}, {"val_loss", 0.25}});
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Progress, OnATerminalIsABarWithEta) {
  const std::string s = on_terminal(100, [] { epoch(1); });
  EXPECT_PRED2(contains, s, "Epoch 2/2");
  EXPECT_PRED2(contains, s, "\r1/4 [=====...............] - ETA ");
  EXPECT_PRED2(contains, s, " - loss: 0.5000 - accuracy: 0.7500");
  EXPECT_PRED2(contains, s, "\r4/4 [====================] - ");
  EXPECT_PRED2(contains, s, " - val_loss: 0.2500\r\n") << "the terminal adds the carriage return";
}

TEST(Progress, OnANarrowTerminalDoesNotWrapWhileItMoves) {
  const std::string s = on_terminal(30, [] { epoch(1); });
  EXPECT_PRED2(contains, s, "1/4 [=====...............] - ");
  EXPECT_FALSE(contains(s.substr(0, s.find("4/4")), "loss")) << s;
}

TEST(Progress, InAPipeIsALineForEachEpoch) {
  for (int verbose : {1, 2}) {
    const std::string s = in_pipe([&] { epoch(verbose); });
    EXPECT_EQ(s.substr(0, 16), "Epoch 2/2 - 4/4 ");
    EXPECT_EQ(s.find('\r'), std::string::npos);
    EXPECT_EQ(s.find('\n'), s.size() - 1);
    EXPECT_PRED2(contains, s, " - loss: 0.5000 - accuracy: 0.7500 - val_loss: 0.2500");
  }
  EXPECT_EQ(in_pipe([] { epoch(0), std::printf("x"); }), "x");
}

}  // namespace
}  // namespace weir::inline v0::keras
