// The smallest program with Weir in it: one op on four numbers. Its size is what `process` tells.
#include <weir/functions.h>
#include <weir/operators.h>

int main() {
  const weir::Tensor y = weir::Tensor{1.F, 2.F, 3.F, 4.F} + 1.F;
  return y.data<float>()[3] == 5.F ? 0 : 1;
}
