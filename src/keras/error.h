#pragma once

#include <weir/error.h>

#include <string>

namespace weir::inline v0::keras {

[[noreturn]] inline void throw_argument(std::string what,
                                        std::string got,
                                        std::string expected,
                                        std::string fix = {}) {
  throw Error({Code::invalid_argument,
               std::move(what),
               {},
               std::move(got),
               std::move(expected),
               std::move(fix)});
}

/// A name that a table of names does not have.
template <class Table>
[[noreturn]] void throw_unknown(const std::string& kind,
                                const std::string& name,
                                const Table& table) {
  std::string known;
  for (const auto& entry : table) {
    if (!entry.first.empty()) known += (known.empty() ? "" : ", ") + entry.first;
  }
  throw Error({Code::not_found,
               "unknown " + kind + " '" + name + "'",
               {},
               "'" + name + "'",
               "one of " + known,
               {}});
}

}  // namespace weir::inline v0::keras
