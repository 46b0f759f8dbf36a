/// Arithmetic, comparisons, choice and conversion of bfloat16, vectorised: computed in float32,
/// rounded once.
#include "kernels/scalar/activations.h"

namespace weir::kernels::WEIR_ISA {

namespace {

using Half = Types<bfloat16>;

struct BiasAdd : Add {
  static constexpr const char* kOp = "BiasAdd";
};
struct Cast {
  static constexpr const char* kOp = "Cast";
};

float to_float(bfloat16 x) {
  return weir_f32_from_bf16(x.bits);
}
bfloat16 to_half(float x) {
  return {weir_bf16_from_f32(x)};
}

template <class From, class To, auto F>
constexpr rt::Kernel cast_kernel() {
  return {.op = Cast::kOp,
          .name = kKernelName<Cast, From, To>.text,
          .types = {dtype_of<From>, DType::invalid, dtype_of<To>},
          .isa = kIsa,
          .run = rt::run_elementwise,
          .tile = unary_tile<From, To, F>};
}

constexpr std::array<rt::Kernel, 4> kOthers = {
    cast_kernel<bfloat16, float, to_float>(),
    cast_kernel<float, bfloat16, to_half>(),
    rt::Kernel{.op = Select::kOp,
               .name = kKernelName<Select, bfloat16>.text,
               .types = {DType::boolean, DType::bfloat16},
               .isa = kIsa,
               .run = rt::run_elementwise,
               .tile = ternary_tile<std::uint8_t, bfloat16, bfloat16, Select::apply<bfloat16>>},
    rt::Kernel{.op = Clip::kOp,
               .name = kKernelName<Clip, bfloat16>.text,
               .types = {DType::bfloat16},
               .isa = kIsa,
               .run = rt::run_elementwise,
               .tile = ternary_tile<bfloat16, bfloat16, bfloat16, Clip::apply<bfloat16>>}};

}  // namespace

rt::KernelTable bfloat16_arithmetic_kernels() {
  static constexpr auto table =
      concatenate(binary_table<Add,
                               BiasAdd,
                               Sub,
                               Mul,
                               Maximum,
                               Minimum,
                               SquaredDifference,
                               RealDiv,
                               ReluGrad,
                               Relu6Grad>(Half{}),
                  unary_table<Relu,
                              Relu6,
                              Neg,
                              Abs,
                              Sign,
                              Square,
                              Reciprocal,
                              Sqrt,
                              Rsqrt,
                              Floor,
                              Ceil,
                              Round,
                              Rint>(Half{}),
                  comparison_table<Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual>(Half{}),
                  kOthers);
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
