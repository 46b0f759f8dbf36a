/// The version of the library that a program runs with.
#pragma once

#include <weir/export.h>

namespace weir {

/// The library's version, "major.minor.patch".
WEIR_API const char* version();

}  // namespace weir
