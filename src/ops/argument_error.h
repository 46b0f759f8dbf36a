#pragma once

/// The error of a function that is made of several ops, at the caller's line.

#include <weir/error.h>

#include <source_location>
#include <string>
#include <utility>

namespace weir::ops {

[[noreturn]] inline void fail(const char* function,
                              std::source_location where,
                              std::string what,
                              std::string got,
                              std::string expected) {
  throw Error({Code::invalid_argument,
               std::string(function) + ": " + std::move(what),
               to_string(where),
               std::move(got),
               std::move(expected),
               {}});
}

}  // namespace weir::ops
