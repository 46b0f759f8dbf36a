#pragma once

#include <weir/keras/callbacks.h>

#include <chrono>
#include <cstdint>

namespace weir::inline v0::keras {

/// The progress of one epoch on standard output: verbose 1 a bar that moves, 2 one line at the end,
/// 0 nothing.
class Progress {
 public:
  Progress(int epoch, int epochs, std::int64_t steps, int verbose);
  void step(const Logs& logs);
  void end(const Logs& logs);

 private:
  double seconds() const;
  void draw(const Logs& logs, bool last);

  int verbose_;
  std::int64_t steps_, done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double last_drawn_ = -1;
  std::size_t width_ = 0;
};

}  // namespace weir::inline v0::keras
