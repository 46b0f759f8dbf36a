#pragma once

#include <weir/profiler.h>

#include <vector>

#include "tensor/profile.h"

namespace weir::io {

/// The word for a category: "op", "step" ...
const char* word(profile::Category category);

/// By event: its time without that of the events inside it on its thread. Sorts the events by
/// thread and time.
std::vector<std::int64_t> self_times(std::vector<profile::Event>& events);

std::vector<ProfileRow> rows_of(std::vector<profile::Event> events, const MachinePeaks& peaks);
std::string table_of(const std::vector<ProfileRow>& rows,
                     const MachinePeaks& peaks,
                     std::size_t dropped);

}  // namespace weir::io
