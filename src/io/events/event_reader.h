#pragma once

#include <string>
#include <vector>

#include "io/proto/event.pb.h"
#include "platform/file_status.h"

namespace weir::io {

/// The complete events of a file, in order; one that is still being written ends early without an
/// error. A damaged record is an error, with the events before it in `events`.
platform::FileStatus read_events(const std::string& path, std::vector<proto::Event>* events);

}  // namespace weir::io
