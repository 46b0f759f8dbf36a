#pragma once

/// Floating dtypes computed in float64 and rounded once.

#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::ref {

template <class T>
double widen(T v) {
  return double(compute(v));
}

template <class T>
T narrow(double v) {
  if constexpr (std::is_same_v<T, double>) return v;
  else return wrap<T>(float(v));
}

}  // namespace weir::kernels::ref
