#pragma once

#include <string>
#include <string_view>

namespace weir::platform {

/// The path of a file that Weir ships ("digits/digits.csv"). Looked for in $WEIR_DATA_DIR, then in
/// share/weir beside the running program's bin folder, then where it was installed, then in the
/// source tree. If it is in none of them, the path in the last place looked at is returned, so that
/// opening it names a file.
std::string data_path(std::string_view relative);

}  // namespace weir::platform
