#pragma once

/// The units of neural networks and their gradients, as functors.h has the rest of the element-wise
/// functions.

#include "kernels/scalar/functors.h"

namespace weir::kernels::WEIR_ISA {
namespace {  // the scalar functions are local to each object, so what is made of them is too

/// Units that have integers too.
struct Relu {
  static constexpr const char* kOp = "Relu";
  template <class T>
  static T apply(T x) {
    const auto v = value(x);
    return wrap<T>(v < 0 ? decltype(v)(0) : v);
  }
};
struct Relu6 {
  static constexpr const char* kOp = "Relu6";
  template <class T>
  static T apply(T x) {
    const auto v = value(x);
    return wrap<T>(v < 0 ? decltype(v)(0) : v > 6 ? decltype(v)(6) : v);
  }
};
struct ReluGrad {
  static constexpr const char* kOp = "ReluGrad";
  template <class T>
  static T apply(T dy, T x) {
    return value(x) > 0 ? dy : T{};
  }
};
struct Relu6Grad {
  static constexpr const char* kOp = "Relu6Grad";
  template <class T>
  static T apply(T dy, T x) {
    return ((value(x) > 0) & (value(x) < 6)) ? dy : T{};
  }
};

struct Elu : Real1<weir_elu_f32, weir_elu_f64> {
  static constexpr const char* kOp = "Elu";
};
struct Selu : Real1<weir_selu_f32, weir_selu_f64> {
  static constexpr const char* kOp = "Selu";
};
struct Softplus : Real1<weir_softplus_f32, weir_softplus_f64> {
  static constexpr const char* kOp = "Softplus";
};
struct Softsign : Real1<weir_softsign_f32, weir_softsign_f64> {
  static constexpr const char* kOp = "Softsign";
};
struct Silu : Real1<weir_silu_f32, weir_silu_f64> {
  static constexpr const char* kOp = "Silu";
};

struct EluGrad : Real2<weir_elu_grad_f32, weir_elu_grad_f64> {
  static constexpr const char* kOp = "EluGrad";
};
struct SeluGrad : Real2<weir_selu_grad_f32, weir_selu_grad_f64> {
  static constexpr const char* kOp = "SeluGrad";
};
struct SoftplusGrad : Real2<weir_softplus_grad_f32, weir_softplus_grad_f64> {
  static constexpr const char* kOp = "SoftplusGrad";
};
struct SoftsignGrad : Real2<weir_softsign_grad_f32, weir_softsign_grad_f64> {
  static constexpr const char* kOp = "SoftsignGrad";
};
struct SiluGrad : Real2<weir_silu_grad_f32, weir_silu_grad_f64> {
  static constexpr const char* kOp = "SiluGrad";
};

/// Attribute 0 is alpha.
struct LeakyRelu {
  static constexpr const char* kOp = "LeakyRelu";
  template <class T>
  static auto parameter(const rt::Attr* attrs) {
    return decltype(value(T{}))(attrs[0].f);
  }
  template <class T, class P>
  static T apply(T x, P alpha) {
    const auto v = value(x);
    return wrap<T>(v < 0 ? alpha * v : v);
  }
};
struct LeakyReluGrad {
  static constexpr const char* kOp = "LeakyReluGrad";
  template <class T>
  static auto parameter(const rt::Attr* attrs) {
    return LeakyRelu::parameter<T>(attrs);
  }
  template <class T, class P>
  static T apply(T dy, T x, P alpha) {
    return value(x) > 0 ? dy : wrap<T>(alpha * value(dy));
  }
};

/// Attribute 0 chooses the tanh approximation: a tile of its own, not a question for each element.
template <class T>
void gelu_tile(void* dst,
               const void* const* src,
               const std::uint8_t* step,
               std::int64_t n,
               const rt::Attr* attrs) {
  using Exact = Real1<weir_gelu_f32, weir_gelu_f64>;
  using Tanh = Real1<weir_gelu_tanh_f32, weir_gelu_tanh_f64>;
  if (attrs[0].b)
    unary_tile<T, T, Tanh::apply<T>>(dst, src, step, n, attrs);
  else
    unary_tile<T, T, Exact::apply<T>>(dst, src, step, n, attrs);
}
template <class T>
void gelu_grad_tile(void* dst,
                    const void* const* src,
                    const std::uint8_t* step,
                    std::int64_t n,
                    const rt::Attr* attrs) {
  using Exact = Real2<weir_gelu_grad_f32, weir_gelu_grad_f64>;
  using Tanh = Real2<weir_gelu_tanh_grad_f32, weir_gelu_tanh_grad_f64>;
  if (attrs[0].b)
    binary_tile<T, T, Tanh::apply<T>>(dst, src, step, n, attrs);
  else
    binary_tile<T, T, Exact::apply<T>>(dst, src, step, n, attrs);
}
struct Gelu {
  static constexpr const char* kOp = "Gelu";
};
struct GeluGrad {
  static constexpr const char* kOp = "GeluGrad";
};
template <class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> gelu_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Gelu::kOp,
                     .name = kKernelName<Gelu, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = gelu_tile<Ts>}...};
}
template <class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> gelu_grad_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = GeluGrad::kOp,
                     .name = kKernelName<GeluGrad, Ts>.text,
                     .types = {dtype_of<Ts>, dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = gelu_grad_tile<Ts>}...};
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
