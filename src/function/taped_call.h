#pragma once

/// Calls of a trace while tapes record: one program forward, one record, one program back.

#include "function/trace.h"

namespace weir::tracing {

/// The results of a call under the recorders of this thread.
std::vector<Tensor> call_recorded(const std::shared_ptr<Trace>& trace,
                                  std::span<const Tensor> arguments,
                                  std::source_location where);

}  // namespace weir::tracing
