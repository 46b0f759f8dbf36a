#include "plan/step_recorder.h"

namespace weir::plan {

StepRecorder::StepRecorder(std::shared_ptr<const StageLabels> labels,
                           StepObserver* observer,
                           int first_step)
    : labels_(std::move(labels)),
      observer_(observer),
      first_step_(first_step),
      begun_(labels_ ? labels_->steps.size() : 0) {
  hook_.begin = [](void* me, std::uint32_t step) { static_cast<StepRecorder*>(me)->begin(step); };
  hook_.end = [](void* me, std::uint32_t step) { static_cast<StepRecorder*>(me)->end(step); };
  hook_.arg = this;
}

void StepRecorder::begin(std::uint32_t step) {
  if (observer_) {
    std::lock_guard lock(mutex_);
    observer_->begin(first_step_ + int(step));
  }
  if (labels_) begun_[step] = profile::now();
}

void StepRecorder::end(std::uint32_t step) {
  const std::int64_t end = profile::now();
  if (labels_)
    profile::record(StageLabels::pointer(labels_, labels_->steps[step]), begun_[step], end, owner_);
  if (observer_) {
    std::lock_guard lock(mutex_);
    observer_->end(first_step_ + int(step));
  }
}

}  // namespace weir::plan
