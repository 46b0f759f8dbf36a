/// Arithmetic, one loop for every dtype. Integers wrap: they are computed unsigned.
#include "kernels/scalar/functors.h"

namespace weir::kernels::ref {

rt::KernelTable arithmetic_kernels() {
  using FloatingAndComplex = decltype(join(Floating{}, Complex{}));
  using SignedAndFloating = decltype(join(Signed{}, Floating{}));
  static constexpr auto table =
      concatenate(binary_table<Add, Sub, Mul>(Numeric{}),
                  binary_table<RealDiv>(FloatingAndComplex{}),
                  binary_table<Maximum, Minimum, SquaredDifference>(Real{}),
                  binary_table<DivNoNan, MulNoNan>(Floating{}),
                  unary_table<Neg>(join(SignedAndFloating{}, Complex{})),
                  unary_table<Abs, Sign>(SignedAndFloating{}),
                  unary_table<Square>(Numeric{}),
                  unary_table<Conj>(Complex{}),
                  unary_table<Reciprocal>(FloatingAndComplex{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
