/// Units of neural networks and their gradients.
#include "kernels/scalar/activations.h"

namespace weir::kernels::ref {

rt::KernelTable activations_kernels() {
  static constexpr auto table =
      concatenate(unary_table<Relu, Relu6>(Real{}),
                  binary_table<ReluGrad, Relu6Grad>(Real{}),
                  unary_table<Elu, Selu, Softplus, Softsign, Silu>(Floating{}),
                  binary_table<EluGrad, SeluGrad, SoftplusGrad, SoftsignGrad, SiluGrad>(Floating{}),
                  unary_attr_kernels<LeakyRelu>(Floating{}),
                  binary_attr_kernels<LeakyReluGrad>(Floating{}),
                  gelu_kernels(Floating{}),
                  gelu_grad_kernels(Floating{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
