#pragma once

/// The backward pass: from targets to sources through the records, each visited once, latest first.

#include "autodiff/fill.h"
#include "autodiff/tape.h"
#include "base/small_vector.h"

namespace weir::autodiff {

/// Gradients that arrive at one slot, summed as they come; rows are joined once, at the end.
struct Arrived {
  Tensor dense;
  std::vector<Slices> rows;
  bool any() const { return dense.defined() || !rows.empty(); }
};

class Pass {
 public:
  Pass(Tape& tape, bool keep_values);
  void run(const Request& request, std::span<Gradient> results);

 private:
  friend class RuleContext;
  enum Mark : std::uint8_t { kUnreached = 0, kOnPath = 1, kSource = 2 };

  std::int32_t seed(const Request& request);
  void mark_sources(const Request& request);
  void mark_paths(std::int32_t last);
  void visit(Record& r);
  void run_rule(Record& r);
  void run_decomposition(Record& r);
  void run_structural(Record& r);
  void release_outputs(const Record& r);
  void collect(const GradientSource& source, Gradient& result);

  bool wanted(std::int32_t slot) const {
    return slot >= 0 && marks_[std::size_t(slot)] != kUnreached;
  }
  Arrived& at(std::int32_t slot) { return arrived_[std::size_t(slot)]; }
  void arrive(const Record& r, std::size_t input, Tensor gradient);
  void arrive(const Record& r, std::size_t input, Slices gradient);
  /// The gradient of a result as one tensor; undefined if none arrived.
  Tensor dense(const Value& result);

  Tape& tape_;
  Log& log_;
  bool keep_values_;
  base::SmallVector<std::uint8_t, 32> marks_;  // by slot
  base::SmallVector<Arrived, 8> arrived_;      // by slot
};

}  // namespace weir::autodiff
