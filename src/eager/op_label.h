#pragma once

/// What profilers are told of an eager op.

#include "dispatch/handler.h"
#include "tensor/profile.h"

namespace weir::eager {

/// `kernel` null: an op that is computed with others.
profile::LabelPtr label_of(const dispatch::Invocation& call, const rt::Kernel* kernel);

}  // namespace weir::eager
