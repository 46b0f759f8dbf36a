/// BiasAdd is AddV2 with the bias along the last axis.
#include "kernels/scalar/types.h"

namespace weir::kernels::ref {
namespace {

struct BiasAdd {
  static constexpr const char* kOp = "BiasAdd";
  template <class T>
  static T apply(T a, T b) {
    return wrap<T>(compute(a) + compute(b));
  }
};

}  // namespace

rt::KernelTable bias_kernels() {
  static const auto table = binary_kernels<BiasAdd>(Numeric{});
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
