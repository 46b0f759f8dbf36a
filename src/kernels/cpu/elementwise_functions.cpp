/// Functions of float32 values and the units of neural networks, vectorised polynomials.
#include "kernels/scalar/activations.h"

namespace weir::kernels::WEIR_ISA {

rt::KernelTable elementwise_functions_kernels() {
  using Float = Types<float>;
  static constexpr auto table = concatenate(
      unary_table<Exp, Expm1, Log, Log1p, Sigmoid, Tanh, Sinh, Cosh, Erf, Erfc, Sin, Cos, Tan>(
          Float{}),
      binary_table<Pow, SqrtGrad, RsqrtGrad, ReciprocalGrad, SigmoidGrad, TanhGrad>(Float{}),
      unary_table<Relu, Relu6, Elu, Selu, Softplus, Softsign, Silu>(Float{}),
      binary_table<ReluGrad, Relu6Grad, EluGrad, SeluGrad, SoftplusGrad, SoftsignGrad, SiluGrad>(
          Float{}),
      unary_attr_kernels<LeakyRelu>(Float{}),
      binary_attr_kernels<LeakyReluGrad>(Float{}),
      gelu_kernels(Float{}),
      gelu_grad_kernels(Float{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
