#include <gtest/gtest.h>

#include "kernels/scalar/arith.h"
#include "kernels/scalar/convert.h"
#include "kernels/scalar/erf.h"
#include "kernels/scalar/libm.h"
#include "kernels/scalar/log.h"
#include "kernels/scalar/power.h"
#include "kernels/scalar/trig.h"

extern "C" float weir_c99_test_value(float x);

namespace weir::kernels {
namespace {

TEST(ScalarC99, CAndCxxGiveTheSameBits) {
  for (float x = -4.0f; x < 4.0f; x += 0.37f) {
    const float expected = weir_gelu_f32(x) + weir_log1p_f32(weir_exp_f32(x)) + weir_sin_f32(x) +
                           weir_pow_f32(weir_abs_f32(x), 1.5f) +
                           weir_f32_from_f16(weir_f16_from_f32(x)) +
                           static_cast<float>(weir_gelu_f64(x));
    EXPECT_EQ(weir_c99_test_value(x), expected) << x;
  }
}

}  // namespace
}  // namespace weir::kernels
