/// Arithmetic, one loop for every dtype. Integers wrap: they are computed unsigned.
#include "kernels/scalar/elementwise.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::ref {
namespace {

struct Add {
  static constexpr const char* kOp = "AddV2";
  template <class T>
  static T apply(T a, T b) {
    return wrap<T>(compute(a) + compute(b));
  }
};

struct Sub {
  static constexpr const char* kOp = "Sub";
  template <class T>
  static T apply(T a, T b) {
    return wrap<T>(compute(a) - compute(b));
  }
};

struct Mul {
  static constexpr const char* kOp = "Mul";
  template <class T>
  static T apply(T a, T b) {
    return wrap<T>(compute(a) * compute(b));
  }
};

}  // namespace

rt::KernelTable arithmetic_kernels() {
  static const auto table = concatenate(binary_kernels<Add>(Numeric{}), binary_kernels<Sub>(Numeric{}), binary_kernels<Mul>(Numeric{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
