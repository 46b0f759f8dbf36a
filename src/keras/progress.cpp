#include "keras/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace weir::inline v0::keras {
namespace {

constexpr std::size_t kBarWidth = 20;

/// "loss: 0.4321 - accuracy: 0.9012", the loss first.
std::string text_of(const Logs& logs) {
  std::string s;
  const auto add = [&](const std::string& name, double value) {
    char number[32];
    std::snprintf(number,
                  sizeof number,
                  value != 0 && (value < 1e-3 && value > -1e-3) ? "%.4e" : "%.4f",
                  value);
    s += " - " + name + ": " + number;
  };
  const auto loss = logs.find("loss");
  if (loss != logs.end()) add("loss", loss->second);
  for (const auto& [name, value] : logs) {
    if (name != "loss") add(name, value);
  }
  return s;
}

std::string duration(double s) {
  char text[32];
  if (s < 60)
    std::snprintf(text, sizeof text, "%.1fs", s);
  else
    std::snprintf(text, sizeof text, "%d:%02d", int(s) / 60, int(s) % 60);
  return text;
}

/// Columns of the terminal on standard output; 0: it is none.
int terminal_width() {
  winsize size{};
  if (!isatty(STDOUT_FILENO)) return 0;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(int epoch, int epochs, std::int64_t steps, int verbose)
    : steps_(steps), print_(verbose > 0), columns_(verbose == 1 ? terminal_width() : 0) {
  if (epochs > 1) heading_ = "Epoch " + std::to_string(epoch + 1) + "/" + std::to_string(epochs);
  if (!print_ || heading_.empty() || columns_ == 0) return;
  std::printf("%s\n", heading_.c_str());
  heading_.clear();
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Progress::step(const Logs& logs) {
  ++done_;
  if (columns_ == 0 || seconds() - last_drawn_ < 0.1) return;
  last_drawn_ = seconds();
  const double left = seconds() / double(done_) * double(steps_ - done_);
  std::string line = bar() + " - ETA " + duration(left) + text_of(logs);
  line.resize(std::min(line.size(), std::size_t(columns_ - 1)));  // a line that wraps stays
  redraw(line, "");
}

void Progress::end(const Logs& logs) {
  if (!print_) return;
  const std::string rest = " - " + duration(seconds()) + text_of(logs);
  if (columns_ > 0) return redraw(bar() + rest, "\n");
  const std::string count = std::to_string(done_) + "/" + std::to_string(steps_);
  std::printf(
      "%s%s%s\n", (heading_.empty() ? "" : heading_ + " - ").c_str(), count.c_str(), rest.c_str());
  std::fflush(stdout);
}

std::string Progress::bar() const {
  const auto filled =
      std::size_t(done_ * std::int64_t(kBarWidth) / std::max<std::int64_t>(steps_, 1));
  return std::to_string(done_) + "/" + std::to_string(steps_) + " [" + std::string(filled, '=') +
         std::string(kBarWidth - filled, '.') + "]";
}

void Progress::redraw(const std::string& line, const char* end) {
  const std::size_t rest = width_ > line.size() ? width_ - line.size() : 0;
  width_ = line.size();
  std::printf("\r%s%s%s", line.c_str(), std::string(rest, ' ').c_str(), end);
  std::fflush(stdout);
}

}  // namespace weir::inline v0::keras
