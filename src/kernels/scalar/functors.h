#pragma once

/// The element-wise functions of ops, one struct each: `kOp` is the op, `apply` computes one
/// element. The same struct makes the reference kernel of every dtype and the vectorised kernels of
/// float32 and float64.

#include "kernels/scalar/arith.h"
#include "kernels/scalar/erf.h"
#include "kernels/scalar/libm.h"
#include "kernels/scalar/log.h"
#include "kernels/scalar/power.h"
#include "kernels/scalar/trig.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {
namespace {  // the scalar functions are local to each object, so what is made of them is too

/// A function given for float32 and float64; half types are computed in float32.
template <auto F32, auto F64>
struct Real1 {
  template <class T>
  static T apply(T x) {
    if constexpr (std::is_same_v<T, double>)
      return F64(x);
    else
      return wrap<T>(F32(value(x)));
  }
};
template <auto F32, auto F64>
struct Real2 {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_same_v<T, double>)
      return F64(a, b);
    else
      return wrap<T>(F32(value(a), value(b)));
  }
};

// -- arithmetic --
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
struct RealDiv {
  static constexpr const char* kOp = "RealDiv";
  template <class T>
  static T apply(T a, T b) {
    return wrap<T>(compute(a) / compute(b));
  }
};
struct SquaredDifference {
  static constexpr const char* kOp = "SquaredDifference";
  template <class T>
  static T apply(T a, T b) {
    const auto d = compute(a) - compute(b);
    return wrap<T>(d * d);
  }
};
/// NaN if either is NaN.
struct Maximum {
  static constexpr const char* kOp = "Maximum";
  template <class T>
  static T apply(T a, T b) {
    const auto x = value(a), y = value(b);
    return wrap<T>(((x > y) | (x != x)) ? x : y);
  }
};
struct Minimum {
  static constexpr const char* kOp = "Minimum";
  template <class T>
  static T apply(T a, T b) {
    const auto x = value(a), y = value(b);
    return wrap<T>(((x < y) | (x != x)) ? x : y);
  }
};
struct DivNoNan : Real2<weir_div_no_nan_f32, weir_div_no_nan_f64> {
  static constexpr const char* kOp = "DivNoNan";
};
struct MulNoNan : Real2<weir_mul_no_nan_f32, weir_mul_no_nan_f64> {
  static constexpr const char* kOp = "MulNoNan";
};
struct FloorDiv : Real2<weir_floordiv_f32, weir_floordiv_f64> {
  static constexpr const char* kOp = "FloorDiv";
};
struct FloorMod : Real2<weir_floormod_f32, weir_floormod_f64> {
  static constexpr const char* kOp = "FloorMod";
};
struct TruncateMod : Real2<weir_truncmod_f32, weir_truncmod_f64> {
  static constexpr const char* kOp = "TruncateMod";
};
struct Pow : Real2<weir_pow_f32, weir_pow_f64> {
  static constexpr const char* kOp = "Pow";
};
struct Atan2 : Real2<weir_atan2_f32, weir_atan2_f64> {
  static constexpr const char* kOp = "Atan2";
};
struct Neg {
  static constexpr const char* kOp = "Neg";
  template <class T>
  static T apply(T x) {
    if constexpr (std::is_integral_v<T>)
      return wrap<T>(0 - compute(x));
    else
      return wrap<T>(-compute(x));
  }
};
struct Conj {
  static constexpr const char* kOp = "Conj";
  template <class T>
  static T apply(T x) {
    return T(x.real(), -x.imag());
  }
};
struct Abs {
  static constexpr const char* kOp = "Abs";
  template <class T>
  static T apply(T x) {
    if constexpr (std::is_same_v<T, double>)
      return weir_abs_f64(x);
    else if constexpr (std::is_integral_v<T>)
      return x < 0 ? wrap<T>(0 - compute(x)) : x;
    else
      return wrap<T>(weir_abs_f32(compute(x)));
  }
};
struct Sign {
  static constexpr const char* kOp = "Sign";
  template <class T>
  static T apply(T x) {
    if constexpr (std::is_same_v<T, double>)
      return weir_sign_f64(x);
    else if constexpr (std::is_integral_v<T>)
      return T((x > 0) - (x < 0));
    else
      return wrap<T>(weir_sign_f32(compute(x)));
  }
};
struct Square {
  static constexpr const char* kOp = "Square";
  template <class T>
  static T apply(T x) {
    return wrap<T>(compute(x) * compute(x));
  }
};
struct Reciprocal {
  static constexpr const char* kOp = "Reciprocal";
  template <class T>
  static T apply(T x) {
    return wrap<T>(decltype(compute(x))(1) / compute(x));
  }
};

// -- roots, exponentials, logarithms --
struct Sqrt : Real1<weir_sqrt_f32, weir_sqrt_f64> {
  static constexpr const char* kOp = "Sqrt";
};
struct Rsqrt : Real1<weir_rsqrt_f32, weir_rsqrt_f64> {
  static constexpr const char* kOp = "Rsqrt";
};
struct Exp : Real1<weir_exp_f32, weir_exp_f64> {
  static constexpr const char* kOp = "Exp";
};
struct Expm1 : Real1<weir_expm1_f32, weir_expm1_f64> {
  static constexpr const char* kOp = "Expm1";
};
struct Log : Real1<weir_log_f32, weir_log_f64> {
  static constexpr const char* kOp = "Log";
};
struct Log1p : Real1<weir_log1p_f32, weir_log1p_f64> {
  static constexpr const char* kOp = "Log1p";
};
struct Sigmoid : Real1<weir_sigmoid_f32, weir_sigmoid_f64> {
  static constexpr const char* kOp = "Sigmoid";
};
struct Tanh : Real1<weir_tanh_f32, weir_tanh_f64> {
  static constexpr const char* kOp = "Tanh";
};
struct Sinh : Real1<weir_sinh_f32, weir_sinh_f64> {
  static constexpr const char* kOp = "Sinh";
};
struct Cosh : Real1<weir_cosh_f32, weir_cosh_f64> {
  static constexpr const char* kOp = "Cosh";
};
struct Erf : Real1<weir_erf_f32, weir_erf_f64> {
  static constexpr const char* kOp = "Erf";
};
struct Erfc : Real1<weir_erfc_f32, weir_erfc_f64> {
  static constexpr const char* kOp = "Erfc";
};

// -- trigonometry --
struct Sin : Real1<weir_sin_f32, weir_sin_f64> {
  static constexpr const char* kOp = "Sin";
};
struct Cos : Real1<weir_cos_f32, weir_cos_f64> {
  static constexpr const char* kOp = "Cos";
};
struct Tan : Real1<weir_tan_f32, weir_tan_f64> {
  static constexpr const char* kOp = "Tan";
};
struct Asin : Real1<weir_asin_f32, weir_asin_f64> {
  static constexpr const char* kOp = "Asin";
};
struct Acos : Real1<weir_acos_f32, weir_acos_f64> {
  static constexpr const char* kOp = "Acos";
};
struct Atan : Real1<weir_atan_f32, weir_atan_f64> {
  static constexpr const char* kOp = "Atan";
};
struct Asinh : Real1<weir_asinh_f32, weir_asinh_f64> {
  static constexpr const char* kOp = "Asinh";
};
struct Acosh : Real1<weir_acosh_f32, weir_acosh_f64> {
  static constexpr const char* kOp = "Acosh";
};
struct Atanh : Real1<weir_atanh_f32, weir_atanh_f64> {
  static constexpr const char* kOp = "Atanh";
};

// -- rounding; integers are what they are --
template <auto F32, auto F64>
struct Rounding {
  template <class T>
  static T apply(T x) {
    if constexpr (std::is_integral_v<T>)
      return x;
    else
      return Real1<F32, F64>::apply(x);
  }
};
struct Floor : Rounding<weir_floor_f32, weir_floor_f64> {
  static constexpr const char* kOp = "Floor";
};
struct Ceil : Rounding<weir_ceil_f32, weir_ceil_f64> {
  static constexpr const char* kOp = "Ceil";
};
struct Round : Rounding<weir_rint_f32, weir_rint_f64> {
  static constexpr const char* kOp = "Round";
};
struct Rint : Rounding<weir_rint_f32, weir_rint_f64> {
  static constexpr const char* kOp = "Rint";
};

// -- questions --
struct IsNan {
  static constexpr const char* kOp = "IsNan";
  template <class T>
  static bool apply(T x) {
    return value(x) != value(x);
  }
};
struct IsInf {
  static constexpr const char* kOp = "IsInf";
  template <class T>
  static bool apply(T x) {
    const auto v = value(x);
    return (v == v) & ((v - v) != (v - v));
  }
};
struct IsFinite {
  static constexpr const char* kOp = "IsFinite";
  template <class T>
  static bool apply(T x) {
    const auto v = value(x);
    return (v - v) == (v - v);
  }
};
struct Equal {
  static constexpr const char* kOp = "Equal";
  template <class T>
  static bool apply(T a, T b) {
    return value(a) == value(b);
  }
};
struct NotEqual {
  static constexpr const char* kOp = "NotEqual";
  template <class T>
  static bool apply(T a, T b) {
    return value(a) != value(b);
  }
};
struct Less {
  static constexpr const char* kOp = "Less";
  template <class T>
  static bool apply(T a, T b) {
    return value(a) < value(b);
  }
};
struct LessEqual {
  static constexpr const char* kOp = "LessEqual";
  template <class T>
  static bool apply(T a, T b) {
    return value(a) <= value(b);
  }
};
struct Greater {
  static constexpr const char* kOp = "Greater";
  template <class T>
  static bool apply(T a, T b) {
    return value(a) > value(b);
  }
};
struct GreaterEqual {
  static constexpr const char* kOp = "GreaterEqual";
  template <class T>
  static bool apply(T a, T b) {
    return value(a) >= value(b);
  }
};

// -- choice --
/// The condition is a bool read as a byte: the compiler does not vectorise a choice by bools.
struct Select {
  static constexpr const char* kOp = "SelectV2";
  template <class T>
  static T apply(std::uint8_t condition, T a, T b) {
    return condition != 0 ? a : b;
  }
};
/// NaN stays.
struct Clip {
  static constexpr const char* kOp = "ClipByValue";
  template <class T>
  static T apply(T x, T low, T high) {
    const auto v = value(x), l = value(low), h = value(high);
    const auto raised = v < l ? l : v;
    return wrap<T>(raised > h ? h : raised);
  }
};

// -- gradients in one pass: from the result y or the input x, and the gradient dy --
struct SqrtGrad : Real2<weir_sqrt_grad_f32, weir_sqrt_grad_f64> {
  static constexpr const char* kOp = "SqrtGrad";
};
struct RsqrtGrad : Real2<weir_rsqrt_grad_f32, weir_rsqrt_grad_f64> {
  static constexpr const char* kOp = "RsqrtGrad";
};
struct ReciprocalGrad : Real2<weir_reciprocal_grad_f32, weir_reciprocal_grad_f64> {
  static constexpr const char* kOp = "ReciprocalGrad";
};
struct SigmoidGrad : Real2<weir_sigmoid_grad_f32, weir_sigmoid_grad_f64> {
  static constexpr const char* kOp = "SigmoidGrad";
};
struct TanhGrad : Real2<weir_tanh_grad_f32, weir_tanh_grad_f64> {
  static constexpr const char* kOp = "TanhGrad";
};

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
