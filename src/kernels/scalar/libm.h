/* float64 forms, and the rarer float32 functions, by the C library: needs <math.h>, is not
 * vectorised, has the accuracy of the library (below 1 ulp in glibc, except as it documents). */
#pragma once

#include <math.h>

#include "kernels/scalar/base.h"

static inline double weir_abs_f64(double x) {
  return fabs(x);
}
static inline double weir_rint_f64(double x) {
  return rint(x);
}
static inline double weir_floor_f64(double x) {
  return floor(x);
}
static inline double weir_ceil_f64(double x) {
  return ceil(x);
}
static inline double weir_trunc_f64(double x) {
  return trunc(x);
}
static inline double weir_exp_f64(double x) {
  return exp(x);
}
static inline double weir_expm1_f64(double x) {
  return expm1(x);
}
static inline double weir_log_f64(double x) {
  return log(x);
}
static inline double weir_log1p_f64(double x) {
  return log1p(x);
}
static inline double weir_sin_f64(double x) {
  return sin(x);
}
static inline double weir_cos_f64(double x) {
  return cos(x);
}
static inline double weir_tan_f64(double x) {
  return tan(x);
}
static inline double weir_sinh_f64(double x) {
  return sinh(x);
}
static inline double weir_cosh_f64(double x) {
  return cosh(x);
}
static inline double weir_tanh_f64(double x) {
  return tanh(x);
}
static inline double weir_erf_f64(double x) {
  return erf(x);
}
static inline double weir_erfc_f64(double x) {
  return erfc(x);
}
static inline double weir_sqrt_f64(double x) {
  return sqrt(x);
}
static inline double weir_rsqrt_f64(double x) {
  return 1.0 / sqrt(x);
}
static inline double weir_pow_f64(double x, double y) {
  return pow(x, y);
}

static inline double weir_max_f64(double x, double y) {
  return ((x > y) | (x != x)) ? x : y;
}
static inline double weir_min_f64(double x, double y) {
  return ((x < y) | (x != x)) ? x : y;
}
static inline double weir_sign_f64(double x) {
  return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}
static inline double weir_floordiv_f64(double x, double y) {
  return floor(x / y);
}
static inline double weir_div_no_nan_f64(double x, double y) {
  return y == 0.0 ? 0.0 : x / y;
}
static inline double weir_mul_no_nan_f64(double x, double y) {
  return y == 0.0 ? 0.0 : x * y;
}

/* Remainder with the sign of x (trunc) or of y (floor), exact. */
static inline float weir_truncmod_f32(float x, float y) {
  return fmodf(x, y);
}
static inline double weir_truncmod_f64(double x, double y) {
  return fmod(x, y);
}
static inline float weir_floormod_f32(float x, float y) {
  const float r = fmodf(x, y);
  return ((r != 0.0f) & ((r < 0.0f) != (y < 0.0f))) ? r + y : r;
}
static inline double weir_floormod_f64(double x, double y) {
  const double r = fmod(x, y);
  return ((r != 0.0) & ((r < 0.0) != (y < 0.0))) ? r + y : r;
}

static inline double weir_sigmoid_f64(double x) {
  const double e = exp(-fabs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
static inline double weir_softplus_f64(double x) {
  const double tail = log1p(exp(-fabs(x)));
  return x > 0.0 ? x + tail : tail;
}
static inline double weir_relu_f64(double x) {
  return x < 0.0 ? 0.0 : x;
}
static inline double weir_relu6_f64(double x) {
  return x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x;
}
static inline double weir_leaky_relu_f64(double x, double alpha) {
  return x < 0.0 ? alpha * x : x;
}
static inline double weir_softsign_f64(double x) {
  return x / (1.0 + fabs(x));
}
static inline double weir_elu_f64(double x) {
  return x < 0.0 ? expm1(x) : x;
}
static inline double weir_selu_f64(double x) {
  return x < 0.0 ? 1.7580993408473766 * expm1(x) : 1.0507009873554805 * x;
}
static inline double weir_silu_f64(double x) {
  return x * weir_sigmoid_f64(x);
}
static inline double weir_normal_cdf_f64(double x) {
  return 0.5 * erfc(-0.7071067811865476 * x);
}
static inline double weir_gelu_f64(double x) {
  return x * weir_normal_cdf_f64(x);
}
static inline double weir_gelu_grad_f64(double dy, double x) {
  const double density = 0.3989422804014327 * exp(-0.5 * x * x);
  return dy * (weir_normal_cdf_f64(x) + x * density);
}
static inline double weir_gelu_tanh_gate_f64(double x) {
  return weir_sigmoid_f64(1.5957691216057308 * (x + 0.044715 * x * x * x));
}
static inline double weir_gelu_tanh_f64(double x) {
  return x * weir_gelu_tanh_gate_f64(x);
}
static inline double weir_gelu_tanh_grad_f64(double dy, double x) {
  const double gate = weir_gelu_tanh_gate_f64(x);
  const double slope = 1.5957691216057308 * (1.0 + 0.134145 * x * x);
  return dy * (gate + x * slope * (gate * (1.0 - gate)));
}

static inline double weir_relu_grad_f64(double dy, double x) {
  return x > 0.0 ? dy : 0.0;
}
static inline double weir_relu6_grad_f64(double dy, double x) {
  return ((x > 0.0) & (x < 6.0)) ? dy : 0.0;
}
static inline double weir_leaky_relu_grad_f64(double dy, double x, double alpha) {
  return x > 0.0 ? dy : alpha * dy;
}
static inline double weir_elu_grad_f64(double dy, double y) {
  return y < 0.0 ? dy * (y + 1.0) : dy;
}
static inline double weir_selu_grad_f64(double dy, double y) {
  return y < 0.0 ? dy * (y + 1.7580993408473766) : dy * 1.0507009873554805;
}
static inline double weir_sigmoid_grad_f64(double y, double dy) {
  return dy * (y * (1.0 - y));
}
static inline double weir_tanh_grad_f64(double y, double dy) {
  return dy * (1.0 - y * y);
}
static inline double weir_softplus_grad_f64(double dy, double x) {
  return dy * weir_sigmoid_f64(x);
}
static inline double weir_softsign_grad_f64(double dy, double x) {
  const double d = 1.0 + fabs(x);
  return dy / (d * d);
}
static inline double weir_silu_grad_f64(double dy, double x) {
  const double s = weir_sigmoid_f64(x);
  return dy * (s * (1.0 + x * (1.0 - s)));
}
static inline double weir_sqrt_grad_f64(double y, double dy) {
  return 0.5 * dy / y;
}
static inline double weir_rsqrt_grad_f64(double y, double dy) {
  return -0.5 * dy * (y * y * y);
}
static inline double weir_reciprocal_grad_f64(double y, double dy) {
  return -dy * (y * y);
}

static inline float weir_asin_f32(float x) {
  return asinf(x);
}
static inline float weir_acos_f32(float x) {
  return acosf(x);
}
static inline float weir_atan_f32(float x) {
  return atanf(x);
}
static inline float weir_atan2_f32(float y, float x) {
  return atan2f(y, x);
}
static inline float weir_asinh_f32(float x) {
  return asinhf(x);
}
static inline float weir_acosh_f32(float x) {
  return acoshf(x);
}
static inline float weir_atanh_f32(float x) {
  return atanhf(x);
}
static inline double weir_asin_f64(double x) {
  return asin(x);
}
static inline double weir_acos_f64(double x) {
  return acos(x);
}
static inline double weir_atan_f64(double x) {
  return atan(x);
}
static inline double weir_atan2_f64(double y, double x) {
  return atan2(y, x);
}
static inline double weir_asinh_f64(double x) {
  return asinh(x);
}
static inline double weir_acosh_f64(double x) {
  return acosh(x);
}
static inline double weir_atanh_f64(double x) {
  return atanh(x);
}
