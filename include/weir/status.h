/// Status codes shared by the freestanding runtime and by weir::Error. The codes are TensorFlow's
/// canonical ones. Nothing here allocates, throws or needs a host.
#pragma once

#include <cstdint>

namespace weir::inline v0 {

enum class Code : std::uint8_t {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

/// "invalid_argument" for Code::invalid_argument; "unknown" for a number that is no code.
const char* code_name(Code code);

/// Success, or a code and a message. The message is a string literal: a Status owns nothing.
class [[nodiscard]] Status {
 public:
  constexpr Status() = default;
  constexpr Status(Code code, const char* message) : message_(message), code_(code) {}
  constexpr bool ok() const { return code_ == Code::ok; }
  constexpr Code code() const { return code_; }
  constexpr const char* message() const { return message_; }

 private:
  const char* message_ = "";
  Code code_ = Code::ok;
};

}  // namespace weir::inline v0
