/// Ops whose integers can fail (division by zero, a negative exponent) and bitwise ops.
#include "kernels/scalar/functors.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::ref {
namespace {

/// A function of 64-bit integers; unsigned ones have a form of their own.
template <auto Signed64, auto Unsigned64>
struct Integer2 {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_signed_v<T>)
      return T(Signed64(a, b));
    else
      return T(Unsigned64(a, b));
  }
};

constexpr std::uint64_t divide_u64(std::uint64_t a, std::uint64_t b) {
  return b == 0 ? 0 : a / b;
}
constexpr std::uint64_t modulo_u64(std::uint64_t a, std::uint64_t b) {
  return b == 0 ? 0 : a % b;
}

struct IntegerFloorDiv : Integer2<weir_floordiv_i64, divide_u64> {
  static constexpr const char* kOp = "FloorDiv";
};
struct IntegerFloorMod : Integer2<weir_floormod_i64, modulo_u64> {
  static constexpr const char* kOp = "FloorMod";
};
struct TruncateDiv : Integer2<weir_truncdiv_i64, divide_u64> {
  static constexpr const char* kOp = "TruncateDiv";
};
struct IntegerTruncateMod : Integer2<weir_truncmod_i64, modulo_u64> {
  static constexpr const char* kOp = "TruncateMod";
};
struct IntegerPow {
  static constexpr const char* kOp = "Pow";
  template <class T>
  static T apply(T a, T b) {
    std::uint64_t base = compute(a), result = 1;
    for (std::uint64_t exponent = compute(b); exponent != 0; exponent >>= 1, base *= base)
      result = exponent & 1 ? result * base : result;
    return wrap<T>(result);
  }
};

/// Runs a tile that no region may contain, because its operands are checked first.
Status run_checked(const rt::KernelCall& c, rt::TileFn tile) {
  rt::Kernel kernel = *c.kernel;
  kernel.tile = tile;
  rt::KernelCall call = c;
  call.kernel = &kernel;
  return rt::run_elementwise(call);
}

/// Error: a divisor is 0 (a size-0 result divides nothing).
template <class Op, class T>
Status run_division(const rt::KernelCall& c) {
  const T* divisors = c.in[1].as<T>();
  const std::int64_t n = c.out[0].size() == 0 ? 0 : c.in[1].size();
  for (std::int64_t i = 0; i < n; ++i) {
    if (divisors[i] == 0) return rt::invalid("integer division by zero");
  }
  return run_checked(c, binary_tile<T, T, Op::template apply<T>>);
}

template <class Op, class T>
Status run_power(const rt::KernelCall& c) {
  const T* exponents = c.in[1].as<T>();
  const std::int64_t n = c.out[0].size() == 0 ? 0 : c.in[1].size();
  for (std::int64_t i = 0; std::is_signed_v<T> && i < n; ++i) {
    if (exponents[i] < T(0))
      return rt::invalid("integers to negative integer powers are not allowed");
  }
  return run_checked(c, binary_tile<T, T, Op::template apply<T>>);
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> division_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>, dtype_of<Ts>},
                     .run = run_division<Op, Ts>}...};
}
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> power_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>, dtype_of<Ts>},
                     .run = run_power<Op, Ts>}...};
}

struct BitwiseAnd {
  static constexpr const char* kOp = "BitwiseAnd";
  template <class T>
  static T apply(T a, T b) {
    return T(a & b);
  }
};
struct BitwiseOr {
  static constexpr const char* kOp = "BitwiseOr";
  template <class T>
  static T apply(T a, T b) {
    return T(a | b);
  }
};
struct BitwiseXor {
  static constexpr const char* kOp = "BitwiseXor";
  template <class T>
  static T apply(T a, T b) {
    return T(a ^ b);
  }
};
struct Invert {
  static constexpr const char* kOp = "Invert";
  template <class T>
  static T apply(T a) {
    return T(~a);
  }
};

/// Shift counts are clamped to [0, bits - 1], as TensorFlow does.
template <class T>
int shift_count(T n) {
  constexpr int kMost = int(sizeof(T) * 8) - 1;
  return n < 0 ? 0 : n > T(kMost) ? kMost : int(n);
}
struct LeftShift {
  static constexpr const char* kOp = "LeftShift";
  template <class T>
  static T apply(T a, T n) {
    return wrap<T>(compute(a) << shift_count(n));
  }
};
struct RightShift {
  static constexpr const char* kOp = "RightShift";
  template <class T>
  static T apply(T a, T n) {
    return T(a >> shift_count(n));
  }
};

}  // namespace

rt::KernelTable integer_kernels() {
  static constexpr auto table = concatenate(
      division_kernels<IntegerFloorDiv>(Integers{}),
      division_kernels<IntegerFloorMod>(Integers{}),
      division_kernels<TruncateDiv>(Integers{}),
      division_kernels<IntegerTruncateMod>(Integers{}),
      binary_table<FloorDiv, FloorMod, TruncateMod, Pow>(Floating{}),
      power_kernels<IntegerPow>(Integers{}),
      binary_table<BitwiseAnd, BitwiseOr, BitwiseXor, LeftShift, RightShift>(Integers{}),
      unary_table<Invert>(Integers{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
