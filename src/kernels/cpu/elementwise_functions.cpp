/// Functions of float32 values and the units of neural networks, vectorised polynomials.
#include "kernels/scalar/activations.h"
#include "kernels/scalar/exp_block.h"

namespace weir::kernels::WEIR_ISA {

namespace {

/// Below, a look at the values costs more than it saves.
constexpr std::int64_t kLongTile = 32;

void exp_tile(void* dst,
              const void* const* src,
              const std::uint8_t* step,
              std::int64_t n,
              const rt::Attr* attrs) {
  if (step[0] && n >= kLongTile)
    exp_block(static_cast<const float*>(src[0]), static_cast<float*>(dst), n);
  else
    unary_tile<float, float, Exp::apply<float>>(dst, src, step, n, attrs);
}
constexpr std::array<rt::Kernel, 1> exp_kernels() {
  return {rt::Kernel{.op = Exp::kOp,
                     .name = kKernelName<Exp, float>.text,
                     .types = {DType::float32},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = exp_tile}};
}

}  // namespace

rt::KernelTable elementwise_functions_kernels() {
  using Float = Types<float>;
  static constexpr auto table = concatenate(
      exp_kernels(),
      unary_table<Expm1, Log, Log1p, Sigmoid, Tanh, Sinh, Cosh, Erf, Erfc, Sin, Cos, Tan>(Float{}),
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
