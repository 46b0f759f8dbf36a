#include "keras/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace weir::inline v0::keras {
namespace {

constexpr int kBarWidth = 20;

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

}  // namespace

Progress::Progress(int epoch, int epochs, std::int64_t steps, int verbose)
    : verbose_(verbose), steps_(steps) {
  if (verbose_ > 0 && epochs > 1) std::printf("Epoch %d/%d\n", epoch + 1, epochs);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Progress::step(const Logs& logs) {
  ++done_;
  // A terminal is redrawn a few times a second; a file or a pipe gets only the last line.
  if (verbose_ != 1 || !isatty(STDOUT_FILENO) || seconds() - last_drawn_ < 0.1) return;
  last_drawn_ = seconds();
  draw(logs, false);
}

void Progress::end(const Logs& logs) {
  if (verbose_ > 0) draw(logs, true);
}

void Progress::draw(const Logs& logs, bool last) {
  const double s = seconds();
  const auto filled = int(done_ * kBarWidth / std::max<std::int64_t>(steps_, 1));
  std::string line = std::to_string(done_) + "/" + std::to_string(steps_);
  if (verbose_ == 1)
    line += " [" + std::string(std::size_t(filled), '=') +
            std::string(std::size_t(kBarWidth - filled), '.') + "]";
  line +=
      last ? " - " + duration(s) : " - ETA " + duration(s / double(done_) * double(steps_ - done_));
  line += text_of(logs);
  const std::size_t length = line.size();
  if (length < width_) line += std::string(width_ - length, ' ');
  width_ = length;
  std::printf(
      "%s%s%s", verbose_ == 1 && isatty(STDOUT_FILENO) ? "\r" : "", line.c_str(), last ? "\n" : "");
  std::fflush(stdout);
}

}  // namespace weir::inline v0::keras
