/// Variables of one dtype in computations of another.
#pragma once

#include <weir/dtype.h>

namespace weir::inline v0 {

/// While it lives, this thread reads floating-point variables in `dtype`: `v.value()`, and `v` as
/// an operand, are the variable converted. Tapes record the conversion, so gradients arrive in the
/// variable's own dtype; assignments are as ever. What Keras layers do under a mixed policy.
///
///   AutocastScope scope(DType::bfloat16);
///   Tensor y = matmul(x, w);   // x bfloat16, w a float32 variable
///
/// Scopes nest; DType::invalid ends the conversion for as long as the inner one lives.
class AutocastScope {
 public:
  explicit AutocastScope(DType dtype);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  DType outer_;
};

}  // namespace weir::inline v0
