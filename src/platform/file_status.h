#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace weir::platform {

/// Outcome of a file operation. `error` is an errno value, 0 for success; `message` names the
/// operation, the path and the cause in words, ready to become the text of a weir::Error.
struct [[nodiscard]] FileStatus {
  int error = 0;
  std::string message;

  bool ok() const { return error == 0; }
  Code code() const;
};

/// "cannot <action> '<path>': <text of errno>".
FileStatus file_error(std::string_view action, std::string_view path, int error);

/// As above with words of our own for the cause.
FileStatus file_error(std::string_view action,
                      std::string_view path,
                      int error,
                      std::string_view cause);

}  // namespace weir::platform
