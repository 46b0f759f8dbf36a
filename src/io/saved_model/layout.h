#pragma once

#include <array>
#include <string_view>

namespace weir::io {

// The names in a SavedModel directory.
inline constexpr const char* kModelFile = "saved_model.pb";
inline constexpr const char* kServeTag = "serve";

/// What a directory may hold to count as a SavedModel, and nothing else.
inline constexpr std::array<std::string_view, 6> kModelEntries = {
    "saved_model.pb", "variables", "assets", "fingerprint.pb", "keras_metadata.pb", "debug"};

}  // namespace weir::io
