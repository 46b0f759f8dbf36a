#pragma once

/// What profilers are told of the steps of a stage.

#include <memory>
#include <vector>

#include "plan/stage.h"
#include "tensor/profile.h"

namespace weir::plan {

/// Flops and bytes of a step: of its kernel and its tiles; values between them cost no bytes.
Cost cost_of(const StagePlan& plan, const PlannedStep& step);

profile::Label label_of(const StagePlan& plan, const PlannedStep& step);

}  // namespace weir::plan
