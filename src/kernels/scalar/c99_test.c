/* The scalar headers are C as well: what is printed into generated C must compile and agree. */
#include "kernels/scalar/arith.h"
#include "kernels/scalar/convert.h"
#include "kernels/scalar/erf.h"
#include "kernels/scalar/libm.h"
#include "kernels/scalar/log.h"
#include "kernels/scalar/power.h"
#include "kernels/scalar/trig.h"

float weir_c99_test_value(float x) {
  return weir_gelu_f32(x) + weir_log1p_f32(weir_exp_f32(x)) + weir_sin_f32(x) +
         weir_pow_f32(weir_abs_f32(x), 1.5f) + weir_f32_from_f16(weir_f16_from_f32(x)) +
         (float)weir_gelu_f64(x);
}
