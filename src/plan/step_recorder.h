#pragma once

/// Watches the steps of one run of a stage: for the observer of the run, for profilers, or both.

#include <mutex>
#include <vector>

#include "plan/executable.h"
#include "runtime/program.h"
#include "tensor/profile.h"

namespace weir::plan {

/// The labels of a stage's steps and of its packed operands, kept as long as an event refers to
/// them.
struct StageLabels {
  std::vector<profile::Label> steps;
  std::vector<profile::Label> packs;
  profile::Label run;

  static profile::LabelPtr pointer(const std::shared_ptr<const StageLabels>& all,
                                   const profile::Label& one) {
    return {all, &one};
  }
};

class StepRecorder {
 public:
  /// `labels` null: nobody profiles. `observer` may be null too.
  StepRecorder(std::shared_ptr<const StageLabels> labels, StepObserver* observer, int first_step);

  /// What the program calls; it refers to this recorder.
  const rt::StepHook& hook() const { return hook_; }

 private:
  void begin(std::uint32_t step);
  void end(std::uint32_t step);

  std::shared_ptr<const StageLabels> labels_;
  StepObserver* observer_;
  int first_step_;
  std::uint32_t owner_ = profile::this_thread();
  std::vector<std::int64_t> begun_;  // by step
  std::mutex mutex_;                 // an observer sees one step after the other
  rt::StepHook hook_;
};

}  // namespace weir::plan
