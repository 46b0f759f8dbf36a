#pragma once

/// Errors without heap, exceptions or RTTI: what `base` and `runtime` return.
///
///     Result<int> half(int n) {
///       if (n % 2 != 0) return Status(Code::invalid_argument, "n must be even");
///       return n / 2;
///     }
///
/// Above `runtime`, errors are `weir::Error` exceptions, which carry where, got, expected and fix.

#include <weir/status.h>

#include <cassert>
#include <new>
#include <utility>

namespace weir {

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
