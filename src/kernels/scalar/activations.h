#pragma once

/// The units of neural networks and their gradients, as functors.h has the rest of the element-wise functions.

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

/// Attribute 0: the tanh approximation.
struct Gelu {
  static constexpr const char* kOp = "Gelu";
  template <class T>
  static bool parameter(const rt::Attr* attrs) {
    return attrs[0].b;
  }
  template <class T>
  static T apply(T x, bool approximate) {
    using Exact = Real1<weir_gelu_f32, weir_gelu_f64>;
    using Tanh = Real1<weir_gelu_tanh_f32, weir_gelu_tanh_f64>;
    return approximate ? Tanh::apply(x) : Exact::apply(x);
  }
};
struct GeluGrad {
  static constexpr const char* kOp = "GeluGrad";
  template <class T>
  static bool parameter(const rt::Attr* attrs) {
    return attrs[0].b;
  }
  template <class T>
  static T apply(T dy, T x, bool approximate) {
    using Exact = Real2<weir_gelu_grad_f32, weir_gelu_grad_f64>;
    using Tanh = Real2<weir_gelu_tanh_grad_f32, weir_gelu_tanh_grad_f64>;
    return approximate ? Tanh::apply(dy, x) : Exact::apply(dy, x);
  }
};

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
