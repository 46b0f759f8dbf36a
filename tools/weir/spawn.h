#pragma once

#include <string>
#include <vector>

namespace weir::cli {

/// Runs this program with other arguments and waits. Error: it cannot be started, or its exit code
/// is not 0.
void run_self(const std::vector<std::string>& arguments);

}  // namespace weir::cli
