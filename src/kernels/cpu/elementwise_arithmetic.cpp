/// Arithmetic, comparisons and choice, vectorised.
#include "kernels/scalar/functors.h"

namespace weir::kernels::WEIR_ISA {
namespace {

using Floats = Types<float, double>;
using Ints = Types<std::int32_t, std::int64_t>;

struct BiasAdd : Add {
  static constexpr const char* kOp = "BiasAdd";
};

template <class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> select_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Select::kOp,
                     .name = kKernelName<Select, Ts>.text,
                     .types = {DType::boolean, dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = ternary_tile<std::uint8_t, Ts, Ts, Select::template apply<Ts>>}...};
}
template <class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> clip_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Clip::kOp,
                     .name = kKernelName<Clip, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = ternary_tile<Ts, Ts, Ts, Clip::template apply<Ts>>}...};
}

}  // namespace

rt::KernelTable elementwise_arithmetic_kernels() {
  using Numbers = decltype(join(Floats{}, Ints{}));
  static constexpr auto table = concatenate(
      binary_table<Add, BiasAdd, Sub, Mul, Maximum, Minimum, SquaredDifference>(Numbers{}),
      binary_table<RealDiv, DivNoNan, MulNoNan>(Floats{}),
      unary_table<Neg, Abs, Sign, Square>(Numbers{}),
      unary_table<Reciprocal, Sqrt, Rsqrt>(Floats{}),
      unary_table<Floor, Ceil, Round, Rint>(Types<float>{}),
      comparison_table<Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual>(Numbers{}),
      concatenate(predicate_kernels<IsNan>(Floats{}),
                  predicate_kernels<IsInf>(Floats{}),
                  predicate_kernels<IsFinite>(Floats{})),
      select_kernels(Numbers{}),
      clip_kernels(Floats{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
