#pragma once

#include <string>
#include <vector>

#include "tensor/profile.h"

namespace weir::io {

/// The events in the trace event format of Chrome and Perfetto; `zero`: the time that is 0 there.
std::string trace_json_of(const std::vector<profile::Event>& events, std::int64_t zero);

}  // namespace weir::io
