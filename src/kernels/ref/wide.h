#pragma once

/// Floating dtypes computed in float64 and rounded once.

#include <limits>

#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::ref {

template <class T>
double widen(T v) {
  return double(compute(v));
}

template <class T>
T narrow(double v) {
  if constexpr (std::is_same_v<T, double>)
    return v;
  else
    return wrap<T>(float(v));
}

/// The value in a type whose < is the order of the numbers: `compute` makes integers unsigned.
template <class T>
auto order(T v) {
  if constexpr (std::is_integral_v<T>)
    return v;
  else
    return compute(v);
}

/// The value below all others.
template <class T>
T lowest() {
  if constexpr (std::is_integral_v<T>)
    return std::numeric_limits<T>::min();
  else
    return narrow<T>(-std::numeric_limits<double>::infinity());
}

}  // namespace weir::kernels::ref
