#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "platform/file_status.h"

namespace weir::io {

// The file layer, with weir::Error instead of a status.

std::string read_file(const std::string& path);

/// Writes a file that appears under its name when it is complete.
void write_file(const std::string& path, std::string_view bytes);

/// Throws a weir::Error that says what went wrong, and what to do about it.
[[noreturn]] void fail(Code code, const std::string& what, const std::string& fix = {});

/// Throws weir::Error unless `status` is ok.
void check(const platform::FileStatus& status);

}  // namespace weir::io
