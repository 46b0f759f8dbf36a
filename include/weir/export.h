/// WEIR_API, the mark of what the shared library shows.
#pragma once

/// Marks what the library exports: everything else in it is hidden.
#define WEIR_API __attribute__((visibility("default")))
