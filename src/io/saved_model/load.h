#pragma once

#include <weir/saved_model.h>

#include <string>
#include <string_view>

namespace weir::io {

/// The model in the bytes of a saved_model.pb; `name` is what errors call it. Throws weir::Error.
SavedModel parse_saved_model(std::string_view bytes, const std::string& name);

}  // namespace weir::io
