#pragma once

/// Dtype lists for kernel tables, and arithmetic in a type wide enough: half types in float,
/// integers unsigned.

#include <array>
#include <complex>
#include <type_traits>

#include "kernels/scalar/convert.h"
#include "kernels/scalar/elementwise.h"

namespace weir::kernels::WEIR_ISA {

template <class... Ts>
struct Types {};

using Floating = Types<float, double, float16, bfloat16>;
using Signed = Types<std::int8_t, std::int16_t, std::int32_t, std::int64_t>;
using Unsigned = Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;

template <class... As, class... Bs>
constexpr Types<As..., Bs...> join(Types<As...>, Types<Bs...>) {
  return {};
}
using Integers = decltype(join(Signed{}, Unsigned{}));
using Real = decltype(join(Floating{}, Integers{}));
using Complex = Types<std::complex<float>, std::complex<double>>;
using Numeric = decltype(join(Real{}, Complex{}));
using Plain = decltype(join(Numeric{}, Types<bool>{}));

/// The value in the type that arithmetic is done in.
template <class T>
constexpr auto compute(T v) {
  if constexpr (std::is_same_v<T, float16>)
    return weir_f32_from_f16(v.bits);
  else if constexpr (std::is_same_v<T, bfloat16>)
    return weir_f32_from_bf16(v.bits);
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    return std::uint64_t(v);
  else if constexpr (std::is_integral_v<T>)
    return std::uint64_t(v);
  else
    return v;
}
/// The value in a type that has C's operators: half types in float.
template <class T>
constexpr auto value(T v) {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
    return compute(v);
  else
    return v;
}
template <class T, class C>
constexpr T wrap(C v) {
  if constexpr (std::is_same_v<T, float16>)
    return T{weir_f16_from_f32(v)};
  else if constexpr (std::is_same_v<T, bfloat16>)
    return T{weir_bf16_from_f32(v)};
  else
    return T(v);
}

inline constexpr rt::Isa kIsa =
#if defined(__AVX512F__)
    rt::Isa::avx512;
#elif defined(__AVX2__)
    rt::Isa::avx2;
#else
    rt::Isa::baseline;
#endif

/// "AddV2/float32/ref", with static storage.
template <class Op, class... Ts>
struct KernelName {
  char text[64] = {};
  constexpr KernelName() {
    std::size_t n = 0;
    append(n, Op::kOp);
    ((append(n, "/"), append(n, weir::name(dtype_of<Ts>))), ...);
    append(n, "/");
    append(n, kProvider);
  }
  constexpr void append(std::size_t& n, const char* s) {
    while (*s && n + 1 < sizeof text)
      text[n++] = *s++;
  }
};
template <class Op, class... Ts>
inline constexpr KernelName<Op, Ts...> kKernelName;

/// Op::apply(a, b) for each type: in and out are T.
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> binary_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>, dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = binary_tile<Ts, Ts, Op::template apply<Ts>>}...};
}
/// The same with a bool result.
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> comparison_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>, dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = binary_tile<Ts, bool, Op::template apply<Ts>>}...};
}
/// Op::apply(a) for each type.
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> unary_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = unary_tile<Ts, Ts, Op::template apply<Ts>>}...};
}

/// Op::apply(a) for each type, with a bool result.
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> predicate_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = unary_tile<Ts, bool, Op::template apply<Ts>>}...};
}
/// Op::apply(a, Op::parameter<T>(attrs)) for each type.
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> unary_attr_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = unary_attr_tile<Ts, Op>}...};
}
template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> binary_attr_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>, dtype_of<Ts>},
                     .isa = kIsa,
                     .run = rt::run_elementwise,
                     .tile = binary_attr_tile<Ts, Op>}...};
}

template <std::size_t... N>
constexpr auto concatenate(const std::array<rt::Kernel, N>&... tables) {
  std::array<rt::Kernel, (N + ...)> all{};
  std::size_t i = 0;
  const auto append = [&](const auto& table) {
    for (const rt::Kernel& k : table)
      all[i++] = k;
  };
  (append(tables), ...);
  return all;
}

/// The tables of several ops that have the same dtypes.
template <class... Ops, class List>
constexpr auto unary_table(List types) {
  return concatenate(unary_kernels<Ops>(types)...);
}
template <class... Ops, class List>
constexpr auto binary_table(List types) {
  return concatenate(binary_kernels<Ops>(types)...);
}
template <class... Ops, class List>
constexpr auto comparison_table(List types) {
  return concatenate(comparison_kernels<Ops>(types)...);
}

}  // namespace weir::kernels::WEIR_ISA
