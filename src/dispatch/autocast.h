#pragma once

/// The dtype that this thread reads floating-point variables in (include/weir/autocast.h).

#include <weir/tensor.h>

#include <source_location>

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

}  // namespace weir::dispatch
