/// Pairs of element-wise ops in one pass, for tile programs: the second op's operand that the first
/// computes stays in a register. Each op rounds as it does alone. The planner finds the pair of two
/// kernels by its name: FIRST+SECOND.POSITION, where POSITION is the operand of the second.
#include "kernels/scalar/activations.h"

namespace weir::kernels::WEIR_ISA {
namespace {

struct BiasAdd : Add {
  static constexpr const char* kOp = "BiasAdd";
};

struct PairName {
  char text[64] = {};
  constexpr PairName(std::string_view first, std::string_view second, int position) {
    char* end = std::copy(first.begin(), first.end(), text);
    *end++ = '+';
    end = std::copy(second.begin(), second.end(), end);
    *end++ = '.';
    *end = char('0' + position);
  }
};
template <class First, class Second, int Position>
struct Pair {
  static constexpr PairName kText{First::kOp, Second::kOp, Position};
  static constexpr const char* kOp = kText.text;
};

/// v[i] or, if it is one element, that.
template <bool Many>
struct Source {
  const float* v;
  float first;
  explicit Source(const void* p) : v(static_cast<const float*>(p)), first(*v) {}
  float operator[](std::int64_t i) const { return Many ? v[i] : first; }
};

template <class F, bool... Many, std::size_t... I>
void loop(float* y, const void* const* src, std::int64_t n, std::index_sequence<I...>) {
  [=](auto... operand) {
    for_each(n, [=](std::int64_t i) { y[i] = F::apply(operand[i]...); });
  }(Source<Many>(src[I])...);
}

/// One loop for each way of broadcasting the operands.
template <class F, int Operands, bool... Many>
void choose(float* y, const void* const* src, const std::uint8_t* step, std::int64_t n) {
  if constexpr (sizeof...(Many) == Operands) {
    loop<F, Many...>(y, src, n, std::make_index_sequence<Operands>{});
  } else if (step[sizeof...(Many)]) {
    choose<F, Operands, Many..., true>(y, src, step, n);
  } else {
    choose<F, Operands, Many..., false>(y, src, step, n);
  }
}
template <class F, int Operands>
void pair_tile(
    void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const rt::Attr*) {
  choose<F, Operands>(static_cast<float*>(dst), src, step, n);
}

/// second(first(a, b), c) or, for position 1, second(c, first(a, b))
template <class First, class Second, int Position>
struct Binary {
  static float apply(float a, float b, float c) {
    const float v = First::template apply<float>(a, b);
    return Position == 0 ? Second::template apply<float>(v, c)
                         : Second::template apply<float>(c, v);
  }
};
template <class First, class Second>
struct Unary {
  static float apply(float a, float b) {
    return Second::template apply<float>(First::template apply<float>(a, b));
  }
};

template <class Name, class F, int Operands>
constexpr rt::Kernel pair_kernel() {
  return {.op = Name::kOp,
          .name = kKernelName<Name, float>.text,
          .types = {DType::float32, DType::float32, DType::float32},
          .isa = kIsa,
          .run = rt::run_elementwise,
          .tile = pair_tile<F, Operands>};
}

template <class First>
constexpr auto pairs_after() {
  return std::array{
      pair_kernel<Pair<First, Add, 0>, Binary<First, Add, 0>, 3>(),
      pair_kernel<Pair<First, Add, 1>, Binary<First, Add, 1>, 3>(),
      pair_kernel<Pair<First, Sub, 0>, Binary<First, Sub, 0>, 3>(),
      pair_kernel<Pair<First, Sub, 1>, Binary<First, Sub, 1>, 3>(),
      pair_kernel<Pair<First, Mul, 0>, Binary<First, Mul, 0>, 3>(),
      pair_kernel<Pair<First, Mul, 1>, Binary<First, Mul, 1>, 3>(),
  };
}
template <class First, class Second>
constexpr std::array<rt::Kernel, 1> then() {
  return {pair_kernel<Pair<First, Second, 0>, Unary<First, Second>, 2>()};
}

}  // namespace

rt::KernelTable elementwise_pairs_kernels() {
  static constexpr auto table = concatenate(pairs_after<Add>(),
                                            pairs_after<Sub>(),
                                            pairs_after<Mul>(),
                                            then<Add, Relu>(),
                                            then<BiasAdd, Relu>(),
                                            then<Sub, Square>(),
                                            then<Mul, Tanh>());
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
