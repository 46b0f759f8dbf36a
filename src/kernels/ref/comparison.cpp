/// Comparisons, tests, logic and choice.
#include "kernels/scalar/functors.h"

namespace weir::kernels::ref {
namespace {

struct LogicalAnd {
  static constexpr const char* kOp = "LogicalAnd";
  template <class T>
  static T apply(T a, T b) {
    return a & b;
  }
};
struct LogicalOr {
  static constexpr const char* kOp = "LogicalOr";
  template <class T>
  static T apply(T a, T b) {
    return a | b;
  }
};
struct LogicalXor {
  static constexpr const char* kOp = "LogicalXor";
  template <class T>
  static T apply(T a, T b) {
    return a != b;
  }
};
struct LogicalNot {
  static constexpr const char* kOp = "LogicalNot";
  template <class T>
  static T apply(T a) {
    return !a;
  }
};

struct StringEqual {
  static constexpr const char* kOp = "Equal";
  template <class T>
  static bool apply(T a, T b) {
    return std::string_view(a) == std::string_view(b);
  }
};
struct StringNotEqual {
  static constexpr const char* kOp = "NotEqual";
  template <class T>
  static bool apply(T a, T b) {
    return std::string_view(a) != std::string_view(b);
  }
};

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> select_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {DType::boolean, dtype_of<Ts>},
                     .run = rt::run_elementwise,
                     .tile = ternary_tile<std::uint8_t, Ts, Ts, Op::template apply<Ts>>}...};
}
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> clip_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .run = rt::run_elementwise,
                     .tile = ternary_tile<Ts, Ts, Ts, Op::template apply<Ts>>}...};
}

}  // namespace

rt::KernelTable comparison_kernels() {
  using Plain = decltype(join(Numeric{}, Types<bool>{}));
  static constexpr auto table =
      concatenate(comparison_table<Equal, NotEqual>(Plain{}),
                  comparison_table<StringEqual, StringNotEqual>(Types<StringView>{}),
                  comparison_table<Less, LessEqual, Greater, GreaterEqual>(Real{}),
                  binary_table<LogicalAnd, LogicalOr, LogicalXor>(Types<bool>{}),
                  unary_table<LogicalNot>(Types<bool>{}),
                  concatenate(predicate_kernels<IsNan>(Floating{}),
                              predicate_kernels<IsInf>(Floating{}),
                              predicate_kernels<IsFinite>(Floating{})),
                  select_kernels<Select>(join(Plain{}, Types<StringView>{})),
                  clip_kernels<Clip>(Real{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
