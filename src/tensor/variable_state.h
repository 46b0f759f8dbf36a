#pragma once

/// Storage of a variable. A read is a snapshot that shares the buffer; a write replaces the value,
/// or writes in place when nobody else can see the elements.

#include <weir/tensor.h>
#include <weir/variable.h>

#include <atomic>
#include <mutex>
#include <source_location>

namespace weir::inline v0 {

class VariableState {
 public:
  VariableState(Tensor value, VariableOptions options)
      : name(std::move(options.name)),
        trainable(options.trainable),
        dtype_(value.dtype()),
        value_(std::move(value)) {}

  std::string name;
  std::atomic<bool> trainable;

  DType dtype() const { return dtype_; }  // never changes
  Shape shape() const {
    std::lock_guard lock(mutex);
    return value_.shape();
  }
  Tensor snapshot() const {
    std::lock_guard lock(mutex);
    return value_;
  }
  /// Throws Error unless `value` may be written: another dtype or shape. A shape that is not static
  /// passes; it is checked when it is known.
  void check_value(const Tensor& value, std::source_location where) const;
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  /// Held by a program for the time of a run, and by an assign. The members below need it.
  mutable std::mutex mutex;
  const Tensor& value_locked() const { return value_; }
  Tensor& value_locked() { return value_; }
  void set_locked(Tensor value) {
    value_ = std::move(value);
    version_.fetch_add(1, std::memory_order_acq_rel);
  }
  void touch_locked() { version_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  const DType dtype_;
  Tensor value_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace weir::inline v0
