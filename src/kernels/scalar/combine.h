#pragma once

/// Combining two elements, and what combining none gives: for scatters and segments. Integers wrap;
/// NaN spreads.

#include <limits>

#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {

template <class T>
constexpr bool is_nan(T v) {
  if constexpr (std::is_integral_v<T>)
    return false;
  else
    return compute(v) != compute(v);
}
/// a < b in the type of the values; false with a NaN.
template <class T>
constexpr bool less_than(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return a < b;
  else
    return compute(a) < compute(b);
}

struct Plus {
  template <class T>
  static constexpr T apply(T a, T b) {
    return wrap<T>(compute(a) + compute(b));
  }
  template <class T>
  static constexpr T none() {
    return T{};
  }
};
struct Minus {
  template <class T>
  static constexpr T apply(T a, T b) {
    return wrap<T>(compute(a) - compute(b));
  }
};
struct Times {
  template <class T>
  static constexpr T apply(T a, T b) {
    return wrap<T>(compute(a) * compute(b));
  }
  template <class T>
  static constexpr T none() {
    return wrap<T>(decltype(compute(T{}))(1));
  }
};

/// Integers are truncated toward zero; the caller has refused division by zero.
struct Over {
  template <class T>
  static constexpr T apply(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return std::is_signed_v<T> && b == T(-1) ? T(0 - std::uint64_t(a)) : T(a / b);
    else
      return wrap<T>(compute(a) / compute(b));
  }
};

/// Largest finite number of a dtype, or its negative.
template <class T>
constexpr T extreme(bool highest) {
  if constexpr (std::is_same_v<T, float16>)
    return T{std::uint16_t(highest ? 0x7bff : 0xfbff)};
  else if constexpr (std::is_same_v<T, bfloat16>)
    return T{std::uint16_t(highest ? 0x7f7f : 0xff7f)};
  else
    return highest ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
}
struct Greater {
  template <class T>
  static constexpr T apply(T a, T b) {
    return is_nan(a) || less_than(b, a) ? a : b;
  }
  template <class T>
  static constexpr T none() {
    return extreme<T>(false);
  }
};
struct Smaller {
  template <class T>
  static constexpr T apply(T a, T b) {
    return is_nan(a) || less_than(a, b) ? a : b;
  }
  template <class T>
  static constexpr T none() {
    return extreme<T>(true);
  }
};

}  // namespace weir::kernels::WEIR_ISA
