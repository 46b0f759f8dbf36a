#pragma once

/// The dtype that this thread reads floating-point variables in (include/weir/autocast.h).

#include <weir/tensor.h>

#include <source_location>
#include <utility>

namespace weir::dispatch {

struct Autocast {
  DType dtype = DType::invalid;  // invalid: as they are
  /// Makes the conversion: an op, so whoever opens a scope brings it.
  Tensor (*convert)(const Tensor& value, DType to, std::source_location where) = nullptr;

  bool concerns(DType variable) const {
    return dtype != DType::invalid && variable != dtype && is_floating(variable);
  }
};

/// Of this thread.
Autocast& autocast();

/// While it lives, this thread reads variables as they are.
class PauseAutocast {
 public:
  PauseAutocast() : outer_(std::exchange(autocast().dtype, DType::invalid)) {}
  ~PauseAutocast() { autocast().dtype = outer_; }
  PauseAutocast(const PauseAutocast&) = delete;
  PauseAutocast& operator=(const PauseAutocast&) = delete;

 private:
  DType outer_;
};

}  // namespace weir::dispatch
