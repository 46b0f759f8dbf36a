#pragma once

/// Errors without heap, exceptions or RTTI: what `base` and `runtime` return.
///
///     Result<int> half(int n) {
///       if (n % 2 != 0) return Status(Code::invalid_argument, "n must be even");
///       return n / 2;
///     }
///
/// Above `runtime`, errors are `weir::Error` exceptions, which carry where, got, expected and fix.

#include <cassert>
#include <cstdint>
#include <new>
#include <utility>

namespace weir {

/// TensorFlow's canonical codes, with its numbers.
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

/// A value, or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(const T& value) : value_(value), has_value_(true) {}        // NOLINT(*-explicit-*)
  Result(T&& value) : value_(std::move(value)), has_value_(true) {}  // NOLINT(*-explicit-*)
  Result(Status status) : status_(status) {                          // NOLINT(*-explicit-*)
    assert(!status.ok());
  }
  Result(const Result& other) : has_value_(other.has_value_) {
    if (has_value_) {
      new (&value_) T(other.value_);
    } else {
      status_ = other.status_;
    }
  }
  Result(Result&& other) noexcept : has_value_(other.has_value_) {
    if (has_value_) {
      new (&value_) T(std::move(other.value_));
    } else {
      status_ = other.status_;
    }
  }
  Result& operator=(Result other) noexcept {
    this->~Result();
    return *new (this) Result(std::move(other));
  }
  ~Result() {
    if (has_value_) value_.~T();
  }

  bool ok() const { return has_value_; }
  Status status() const { return has_value_ ? Status() : status_; }
  Code code() const { return status().code(); }

  /// The value. It is a bug to ask for the value of a failed result.
  T& operator*() {
    assert(has_value_);
    return value_;
  }
  const T& operator*() const {
    assert(has_value_);
    return value_;
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

 private:
  union {
    Status status_;
    T value_;
  };
  bool has_value_ = false;
};

}  // namespace weir
