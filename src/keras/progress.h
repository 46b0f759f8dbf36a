#pragma once

#include <weir/keras/callbacks.h>

#include <chrono>
#include <cstdint>

namespace weir::inline v0::keras {

/// The progress of one epoch on standard output. verbose 1: on a terminal a bar with ETA, redrawn a
/// few times a second; elsewhere, and with verbose 2, one line when the epoch has ended; 0:
/// nothing.
class Progress {
 public:
  Progress(int epoch, int epochs, std::int64_t steps, int verbose);
  void step(const Logs& logs);
  void end(const Logs& logs);

 private:
  double seconds() const;
  std::string bar() const;
  void redraw(const std::string& line, const char* end);

  std::int64_t steps_, done_ = 0;
  bool print_;
  int columns_;          // of the terminal; 0: no bar
  std::string heading_;  // "Epoch 2/20", where it stands in the one line
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double last_drawn_ = -1;
  std::size_t width_ = 0;  // of the line on the screen
};

}  // namespace weir::inline v0::keras
