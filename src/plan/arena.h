#pragma once

#include <cstdint>
#include <span>

namespace weir::plan {

/// A piece of memory that is needed from step `first` to step `last`, both included.
struct Lifetime {
  std::int64_t bytes = 0;
  int first = 0;
  int last = 0;
  std::int64_t offset = 0;  // set by place
};

/// Gives each piece an offset, a multiple of 64, so that pieces that live at the same time do not
/// overlap; returns the bytes that hold them all. The largest are placed first, each at the lowest
/// offset that is free for its whole life (greedy by size: Pisarchyk and Lee, "Efficient Memory
/// Management for Deep Neural Net Inference", 2020).
std::int64_t place(std::span<Lifetime> pieces);

}  // namespace weir::plan
