#include <weir/operators.h>

#include <weir/ops/math.h>

namespace weir::inline v0 {

Tensor operator+(Operand a, Operand b) {
  return add(a, b);
}
Tensor operator-(Operand a, Operand b) {
  return subtract(a, b);
}
Tensor operator*(Operand a, Operand b) {
  return multiply(a, b);
}

}  // namespace weir::inline v0
