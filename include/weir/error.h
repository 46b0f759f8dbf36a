/// The one exception type of Weir. Its message has the parts that a reader needs to mend the
/// mistake:
///
///   MatMul: inner dimensions differ [invalid_argument]
///     where:    model.cpp:42 (train)
///     got:      a float32[8, 128], b float32[32, 128]
///     expected: a.shape[-1] == b.shape[-2]
///     fix:      pass transpose_b = true if b is stored transposed
#pragma once

#include <weir/status.h>

#include <source_location>
#include <stdexcept>
#include <string>

namespace weir::inline v0 {

/// What went wrong, in parts; empty parts are left out of the message.
struct ErrorInfo {
  Code code = Code::invalid_argument;
  std::string what;   // "MatMul: inner dimensions differ"
  std::string where;  // "file:line (function)"
  std::string got;
  std::string expected;
  std::string fix;
};

class Error : public std::runtime_error {
 public:
  explicit Error(ErrorInfo info);
  Code code() const { return info_.code; }
  const ErrorInfo& info() const { return info_; }
  /// The message on one line, for command lines and logs.
  std::string one_line() const;

 private:
  ErrorInfo info_;
};

/// "file:line (function)"
std::string to_string(const std::source_location& where);

}  // namespace weir::inline v0
