#pragma once

#include <string>
#include <string_view>

#include "platform/file_descriptor.h"
#include "platform/file_status.h"

namespace weir::platform {

/// A file or directory under a temporary name beside its future place. Its writer holds a lock on
/// it, which ends with the process: what is found unlocked is the leftover of a crash.
struct Staging {
  std::string path;
  FileDescriptor fd;
};

enum class StagingKind { file, directory };

/// Creates a staging entry in `directory`, after removing the leftovers there.
FileStatus create_staging(const std::string& directory, StagingKind kind, Staging* out);

/// Removes the staging entries in `directory` whose writers are gone.
void remove_leftovers(const std::string& directory);

bool is_staging_name(std::string_view name);

}  // namespace weir::platform
