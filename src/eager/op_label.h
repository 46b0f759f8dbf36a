#pragma once

/// What profilers are told of an eager op.

#include "dispatch/handler.h"
#include "tensor/profile.h"

namespace weir::eager {

/// `kernel` null: an op that is computed with others. `outputs`: the call's; where their shapes
/// depend on data, those of its results.
profile::LabelPtr label_of(const dispatch::Invocation& call,
                           std::span<const Spec> outputs,
                           const rt::Kernel* kernel);

}  // namespace weir::eager
