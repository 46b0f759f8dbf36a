#pragma once

/// Runs every kernel that could have computed a call, and compares what they give.

#include <string>
#include <vector>

#include "dispatch/handler.h"

namespace weir::op_suite {

/// While it lives, each call of this thread is computed again with all its kernels.
class KernelCheck final : public dispatch::Recorder {
 public:
  KernelCheck() { dispatch::push_recorder(*this); }
  ~KernelCheck() override { dispatch::remove_recorder(*this); }
  void record(const dispatch::Invocation& call, std::span<const Tensor> results) override;
  void record_read(const std::shared_ptr<VariableState>&, const Tensor&) override {}

  int compared() const { return compared_; }
  const std::vector<std::string>& differences() const { return differences_; }

 private:
  int compared_ = 0;
  std::vector<std::string> differences_;
};

/// Where two tensors differ by more than `ulps` units in the last place (of the larger of the value
/// and `floor` times the largest value); empty if nowhere. Integers, bools and strings must be
/// equal.
std::string difference(const Tensor& got, const Tensor& expected, double ulps, double floor);
/// The same bytes (strings: the same text)?
bool same_bits(const Tensor& a, const Tensor& b);

}  // namespace weir::op_suite
