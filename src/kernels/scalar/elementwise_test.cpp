#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "kernels/scalar/arith.h"
#include "kernels/scalar/erf.h"
#include "kernels/scalar/libm.h"
#include "kernels/scalar/log.h"
#include "kernels/scalar/loops_for_test.h"
#include "kernels/scalar/power.h"
#include "kernels/scalar/trig.h"
#include "platform/cpu_features.h"

namespace weir::kernels {
namespace {

using Long = long double;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Long long_sigmoid(Long x) {
  const Long e = expl(-fabsl(x));
  return (x < 0 ? e : 1) / (1 + e);
}

Long long_normal_cdf(Long x) {
  return 0.5L * erfcl(-x * 0.70710678118654752440084436210485L);
}

Long long_gelu_tanh(Long x) {
  return x * long_sigmoid(1.5957691216057307117597842397375L * (x + 0.044715L * x * x * x));
}

Long long_selu(Long x) {
  return x < 0 ? 1.7580993408473768599402175208123L * expm1l(x)
               : 1.0507009873554804934193349852946L * x;
}

struct Accuracy {
  const char* name;
  Long (*exact)(Long);
  double ulps;
  float low;  // arguments tested, besides the special values of the tests below
  float high;
};

// Bounds without a fused multiply-add; the headers state those with one.
const Accuracy kAccuracy[] = {
    {"exp", expl, 1.0, -kInf, kInf},
    {"expm1", expm1l, 1.5, -kInf, kInf},
    {"sigmoid", long_sigmoid, 2.2, -kInf, kInf},
    {"tanh", tanhl, 2.1, -kInf, kInf},
    {"sinh", sinhl, 2.0, -kInf, kInf},
    {"cosh", coshl, 2.0, -kInf, kInf},
    {"log", logl, 1.0, -kInf, kInf},
    {"log1p", log1pl, 1.5, -kInf, kInf},
    {"softplus", [](Long x) { return fmaxl(x, 0) + log1pl(expl(-fabsl(x))); }, 1.8, -1e30f, kInf},
    {"sin", sinl, 2.4, -1e30f, 1e30f},
    {"cos", cosl, 2.4, -1e30f, 1e30f},
    {"tan", tanl, 3.4, -1e30f, 1e30f},
    {"erf", erfl, 1.5, -kInf, kInf},
    {"erfc", erfcl, 5.0, -kInf, kInf},
    {"normal_cdf", long_normal_cdf, 5.5, -kInf, kInf},
    {"gelu", [](Long x) { return x * long_normal_cdf(x); }, 5.5, -1e30f, kInf},
    {"gelu_tanh", long_gelu_tanh, 7.0, -2.0f, kInf},
    {"silu", [](Long x) { return x * long_sigmoid(x); }, 3.0, -80.0f, kInf},
    {"elu", [](Long x) { return x < 0 ? expm1l(x) : x; }, 1.5, -kInf, kInf},
    {"selu", long_selu, 2.0, -kInf, kInf},
    {"sqrt", sqrtl, 0.5, 0.0f, kInf},
    {"rsqrt", [](Long x) { return 1 / sqrtl(x); }, 1.5, 0.0f, kInf},
    {"rint", rintl, 0.0, -kInf, kInf},
    {"floor", floorl, 0.0, -kInf, kInf},
    {"ceil", ceill, 0.0, -kInf, kInf},
    {"trunc", truncl, 0.0, -kInf, kInf},
};

// Distance in units of the last place of the exact value. A value that should be infinite, NaN or a
// zero of the other sign is infinitely far; on the edge of overflow both sides are right.
double ulps_between(float got, Long exact) {
  const double far = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : far;
  if (exact == 0 && got == 0) return std::signbit(exact) == std::signbit(got) ? 0 : far;
  if (fabsl(exact) > 0x1.fffffdp127L) {
    const bool near_edge = fabsl(exact) < 0x1.000001p128L;
    return got == (exact > 0 ? kInf : -kInf) || (near_edge && std::fabs(got) > 0x1.fffffcp127f)
               ? 0
               : far;
  }
  int exponent = 0;
  frexpl(exact, &exponent);
  return static_cast<double>(fabsl(got - exact) / ldexpl(1, std::max(exponent - 24, -149)));
}

std::vector<float> sample_bits(uint32_t step) {
  std::vector<float> x;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += step) {
    x.push_back(weir_f32_bits(static_cast<uint32_t>(bits)));
  }
  for (float special : {0.0f, -0.0f, kInf, -kInf, kNan, 1e-45f, -1e-45f, 3.4028235e38f}) {
    x.push_back(special);
  }
  return x;
}

void (*find_loop(const TestLoop* loops, std::string_view name))(const float*, float*, int64_t) {
  for (; loops->name != nullptr; ++loops) {
    if (name == loops->name) return loops->run;
  }
  return nullptr;
}

void expect_accuracy(const TestLoop* loops, const Accuracy& function) {
  const std::vector<float> x = sample_bits(30011);
  std::vector<float> y(x.size());
  find_loop(loops, function.name)(x.data(), y.data(), static_cast<int64_t>(x.size()));
  double worst = 0;
  float where = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] < function.low || x[i] > function.high) continue;
    const double distance = ulps_between(y[i], function.exact(x[i]));
    if (distance > worst) {
      worst = distance;
      where = x[i];
    }
  }
  EXPECT_LE(worst, function.ulps) << function.name << "(" << where << ")";
}

// What the vectoriser makes of a loop must give the bits of single calls, body and tail alike.
void expect_vector_equals_scalar(const TestLoop* loops) {
  const std::vector<float> x = sample_bits(1000003);
  std::vector<float> all(x.size());
  for (; loops->name != nullptr; ++loops) {
    loops->run(x.data(), all.data(), static_cast<int64_t>(x.size()));
    for (size_t i = 0; i < x.size(); ++i) {
      float one = 0;
      loops->run(&x[i], &one, 1);
      if (std::isnan(one) && std::isnan(all[i])) continue;
      ASSERT_EQ(weir_bits_f32(one), weir_bits_f32(all[i])) << loops->name << "(" << x[i] << ")";
    }
  }
}

const TestLoop* best_loops() {
#if defined(__x86_64__)
  if (platform::detect() == platform::Isa::avx512) return avx512::test_loops();
  if (platform::detect() == platform::Isa::avx2) return avx2::test_loops();
#endif
  return baseline::test_loops();
}

TEST(Elementwise, AccuracyBaseline) {
  for (const Accuracy& function : kAccuracy)
    expect_accuracy(baseline::test_loops(), function);
}

TEST(Elementwise, AccuracyOfTheBestSet) {
  for (const Accuracy& function : kAccuracy)
    expect_accuracy(best_loops(), function);
}

TEST(Elementwise, VectorEqualsScalarBaseline) {
  expect_vector_equals_scalar(baseline::test_loops());
}

TEST(Elementwise, VectorEqualsScalarInTheBestSet) {
  expect_vector_equals_scalar(best_loops());
}

TEST(Elementwise, LimitsOfUnits) {
  EXPECT_EQ(weir_gelu_f32(kInf), kInf);
  EXPECT_EQ(weir_gelu_f32(-kInf), 0.0f);
  EXPECT_EQ(weir_gelu_f32(-100.0f), 0.0f);
  EXPECT_EQ(weir_relu_f32(-kInf), 0.0f);
  EXPECT_EQ(weir_relu6_f32(7.0f), 6.0f);
  EXPECT_EQ(weir_softplus_f32(-kInf), 0.0f);
  EXPECT_EQ(weir_elu_f32(-kInf), -1.0f);
  for (float (*unit)(float) : {weir_relu_f32,
                               weir_relu6_f32,
                               weir_elu_f32,
                               weir_selu_f32,
                               weir_gelu_f32,
                               weir_silu_f32,
                               weir_softplus_f32,
                               weir_softsign_f32,
                               weir_sigmoid_f32,
                               weir_tanh_f32,
                               weir_sign_f32,
                               weir_exp_f32}) {
    EXPECT_TRUE(std::isnan(unit(kNan)));
  }
  EXPECT_TRUE(std::isnan(weir_sin_f32(kInf)) && std::isnan(weir_cos_f32(-kInf)));
  EXPECT_TRUE(std::isnan(weir_log_f32(-1.0f)) && std::isnan(weir_rsqrt_f32(-1.0f)));
}

TEST(Elementwise, LargeNegativeGeluTanhIsCloseInAbsoluteTerms) {
  for (float x = -12.0f; x < 0.0f; x += 0.0117f) {
    EXPECT_NEAR(weir_gelu_tanh_f32(x), static_cast<double>(long_gelu_tanh(x)), 0x1p-22 * -x) << x;
  }
}

TEST(Elementwise, PowFollowsCForSpecialValues) {
  const float values[] = {0.0f,    -0.0f,       1.0f,         -1.0f,     2.0f,  -2.0f, 0.5f,
                          -0.5f,   3.0f,        -3.0f,        kInf,      -kInf, kNan,  1e-45f,
                          -1e-45f, 1e30f,       -1e30f,       1.1f,      -1.1f, 0.9f,  -0.9f,
                          3.4e38f, 16777215.0f, -16777215.0f, 8388607.5f};
  for (float x : values) {
    for (float y : values) {
      const float got = weir_pow_f32(x, y);
      EXPECT_LE(ulps_between(got, powl(x, y)), 1.0) << x << " ^ " << y << " gave " << got;
    }
  }
}

TEST(Elementwise, PowIsAccurate) {
  for (float x = 0.01f; x < 50.0f; x *= 1.0137f) {
    for (float y = -25.0f; y < 25.0f; y += 0.317f) {
      EXPECT_LE(ulps_between(weir_pow_f32(x, y), powl(x, y)), 0.51) << x << " ^ " << y;
    }
  }
}

TEST(Elementwise, MaximumAndMinimumPropagateNan) {
  EXPECT_TRUE(std::isnan(weir_max_f32(kNan, 1.0f)) && std::isnan(weir_max_f32(1.0f, kNan)));
  EXPECT_TRUE(std::isnan(weir_min_f32(kNan, 1.0f)) && std::isnan(weir_min_f32(1.0f, kNan)));
  EXPECT_EQ(weir_max_f32(1.0f, 2.0f), 2.0f);
  EXPECT_EQ(weir_min_f64(1.0, -2.0), -2.0);
}

TEST(Elementwise, SignAndNoNanForms) {
  EXPECT_EQ(weir_sign_f32(-3.0f), -1.0f);
  EXPECT_TRUE(std::signbit(weir_sign_f32(-0.0f)));
  EXPECT_EQ(weir_div_no_nan_f32(kNan, 0.0f), 0.0f);
  EXPECT_EQ(weir_mul_no_nan_f32(kNan, 0.0f), 0.0f);
  EXPECT_EQ(weir_div_no_nan_f64(3.0, 2.0), 1.5);
}

TEST(Elementwise, FloorAndTruncatedDivisionOfIntegers) {
  const int64_t lowest = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(weir_floordiv_i64(-7, 2), -4);
  EXPECT_EQ(weir_floordiv_i64(7, -2), -4);
  EXPECT_EQ(weir_floordiv_i64(-8, 2), -4);
  EXPECT_EQ(weir_floormod_i64(-7, 2), 1);
  EXPECT_EQ(weir_floormod_i64(7, -2), -1);
  EXPECT_EQ(weir_floormod_i32(-8, 2), 0);
  EXPECT_EQ(weir_truncdiv_i64(-7, 2), -3);
  EXPECT_EQ(weir_truncmod_i64(-7, 2), -1);
  EXPECT_EQ(weir_floordiv_i64(lowest, -1), lowest);
  EXPECT_EQ(weir_floormod_i64(lowest, -1), 0);
  EXPECT_EQ(weir_floordiv_i32(std::numeric_limits<int32_t>::min(), -1),
            std::numeric_limits<int32_t>::min());
  EXPECT_EQ(weir_floordiv_i64(5, 0), 0);
  EXPECT_EQ(weir_truncmod_i64(5, 0), 0);
}

TEST(Elementwise, FloorModOfFloatsHasTheSignOfTheDivisor) {
  EXPECT_EQ(weir_floormod_f32(-7.0f, 2.0f), 1.0f);
  EXPECT_EQ(weir_floormod_f64(7.0, -2.0), -1.0);
  EXPECT_EQ(weir_truncmod_f32(-7.0f, 2.0f), -1.0f);
  EXPECT_EQ(weir_floordiv_f32(-7.0f, 2.0f), -4.0f);
}

TEST(Elementwise, IntegerPowersWrap) {
  EXPECT_EQ(weir_pow_i64(-3, 3), -27);
  EXPECT_EQ(weir_pow_i64(5, 0), 1);
  EXPECT_EQ(weir_pow_i64(0, 0), 1);
  EXPECT_EQ(weir_pow_i64(2, 64), 0);
  EXPECT_EQ(weir_pow_i64(2, -1), 0);
}

// Central differences in double of the double forms.
TEST(Elementwise, GradientsMatchDifferences) {
  for (double x = -3.0; x < 3.0; x += 0.171) {
    const double h = 1e-6;
    const auto slope = [&](double (*f)(double)) { return (f(x + h) - f(x - h)) / (2 * h); };
    const float xf = static_cast<float>(x);
    EXPECT_NEAR(weir_gelu_grad_f32(1.0f, xf), slope(weir_gelu_f64), 1e-6);
    EXPECT_NEAR(weir_gelu_tanh_grad_f32(1.0f, xf), slope(weir_gelu_tanh_f64), 1e-6);
    EXPECT_NEAR(weir_silu_grad_f32(1.0f, xf), slope(weir_silu_f64), 1e-6);
    EXPECT_NEAR(weir_softplus_grad_f32(1.0f, xf), slope(weir_softplus_f64), 1e-6);
    EXPECT_NEAR(weir_softsign_grad_f32(1.0f, xf), slope(weir_softsign_f64), 1e-6);
    EXPECT_NEAR(weir_elu_grad_f32(1.0f, weir_elu_f32(xf)), slope(weir_elu_f64), 1e-6);
    EXPECT_NEAR(weir_selu_grad_f32(1.0f, weir_selu_f32(xf)), slope(weir_selu_f64), 1e-6);
    EXPECT_NEAR(weir_tanh_grad_f32(weir_tanh_f32(xf), 1.0f), slope(weir_tanh_f64), 1e-6);
    EXPECT_NEAR(weir_sigmoid_grad_f32(weir_sigmoid_f32(xf), 1.0f), slope(weir_sigmoid_f64), 1e-6);
    EXPECT_NEAR(weir_gelu_grad_f64(1.0, x), slope(weir_gelu_f64), 1e-8);
    EXPECT_NEAR(weir_gelu_tanh_grad_f64(1.0, x), slope(weir_gelu_tanh_f64), 1e-8);
    EXPECT_NEAR(weir_silu_grad_f64(1.0, x), slope(weir_silu_f64), 1e-8);
  }
}

}  // namespace
}  // namespace weir::kernels
