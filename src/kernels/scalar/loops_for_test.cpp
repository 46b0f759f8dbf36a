#include "kernels/scalar/loops_for_test.h"

#include "kernels/scalar/arith.h"
#include "kernels/scalar/convert.h"
#include "kernels/scalar/erf.h"
#include "kernels/scalar/log.h"
#include "kernels/scalar/power.h"
#include "kernels/scalar/trig.h"

namespace weir::kernels::WEIR_ISA {
namespace {

template <float (*f)(float)>
void loop(const float* __restrict x, float* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = f(x[i]);
}

float through_f16(float x) {
  return weir_f32_from_f16(weir_f16_from_f32(x));
}
float through_bf16(float x) {
  return weir_f32_from_bf16(weir_bf16_from_f32(x));
}
float cube_root(float x) {
  return weir_pow_f32(x, 0.333333343f);
}

const TestLoop kLoops[] = {
    {"exp", loop<weir_exp_f32>},
    {"expm1", loop<weir_expm1_f32>},
    {"sigmoid", loop<weir_sigmoid_f32>},
    {"tanh", loop<weir_tanh_f32>},
    {"sinh", loop<weir_sinh_f32>},
    {"cosh", loop<weir_cosh_f32>},
    {"log", loop<weir_log_f32>},
    {"log1p", loop<weir_log1p_f32>},
    {"softplus", loop<weir_softplus_f32>},
    {"sin", loop<weir_sin_f32>},
    {"cos", loop<weir_cos_f32>},
    {"tan", loop<weir_tan_f32>},
    {"erf", loop<weir_erf_f32>},
    {"erfc", loop<weir_erfc_f32>},
    {"normal_cdf", loop<weir_normal_cdf_f32>},
    {"gelu", loop<weir_gelu_f32>},
    {"gelu_tanh", loop<weir_gelu_tanh_f32>},
    {"silu", loop<weir_silu_f32>},
    {"elu", loop<weir_elu_f32>},
    {"selu", loop<weir_selu_f32>},
    {"sqrt", loop<weir_sqrt_f32>},
    {"rsqrt", loop<weir_rsqrt_f32>},
    {"cube_root", loop<cube_root>},
    {"rint", loop<weir_rint_f32>},
    {"floor", loop<weir_floor_f32>},
    {"ceil", loop<weir_ceil_f32>},
    {"trunc", loop<weir_trunc_f32>},
    {"through_f16", loop<through_f16>},
    {"through_bf16", loop<through_bf16>},
    {nullptr, nullptr},
};

}  // namespace

const TestLoop* test_loops() {
  return kLoops;
}

}  // namespace weir::kernels::WEIR_ISA
