/// Functions of one or two floating values.
#include "kernels/scalar/functors.h"

namespace weir::kernels::ref {

rt::KernelTable functions_kernels() {
  static constexpr auto table = concatenate(
      unary_table<Sqrt, Rsqrt, Exp, Expm1, Log, Log1p, Sigmoid, Tanh, Sinh, Cosh, Erf, Erfc>(
          Floating{}),
      unary_table<Sin, Cos, Tan, Asin, Acos, Atan, Asinh, Acosh, Atanh>(Floating{}),
      unary_table<Floor, Ceil, Rint>(Floating{}),
      unary_table<Round>(Real{}),
      binary_table<Atan2>(Floating{}),
      binary_table<SqrtGrad, RsqrtGrad, ReciprocalGrad, SigmoidGrad, TanhGrad>(Floating{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
