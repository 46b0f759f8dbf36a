/// Conversion between all pairs of dtypes.
#include <complex>
#include <limits>

#include "kernels/scalar/types.h"

namespace weir::kernels::ref {
namespace {

struct Cast {
  static constexpr const char* kOp = "Cast";
};

template <class T>
inline constexpr bool kIsComplex =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

/// Truncates; beyond the range the nearest value, NaN gives 0: the same on every machine.
template <class To, class From>
To truncate(From v) {
  constexpr From kBelow = From(std::numeric_limits<To>::min());
  // The largest value plus one is a power of two, so it is exact.
  constexpr From kAbove = From(std::uint64_t{1} << (std::numeric_limits<To>::digits - 1)) * 2;
  if (v != v) return 0;
  if (v >= kAbove) return std::numeric_limits<To>::max();
  return v <= kBelow ? std::numeric_limits<To>::min() : To(v);
}

template <class From, class To>
To convert(From x) {
  if constexpr (std::is_same_v<From, To>) {
    return x;
  } else if constexpr (kIsComplex<From> && !kIsComplex<To>) {
    if constexpr (std::is_same_v<To, bool>)
      return x != From{};
    else
      return convert<typename From::value_type, To>(x.real());
  } else if constexpr (kIsComplex<From>) {
    return To(typename To::value_type(x.real()), typename To::value_type(x.imag()));
  } else if constexpr (kIsComplex<To>) {
    return To(typename To::value_type(value(x)));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value(x) != 0;
  } else if constexpr (std::is_same_v<To, float16> || std::is_same_v<To, bfloat16>) {
    return wrap<To>(float(value(x)));
  } else if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
    return truncate<To>(value(x));
  } else {
    return To(value(x));
  }
}

template <class From, class... Tos>
constexpr std::array<rt::Kernel, sizeof...(Tos)> cast_from(Types<Tos...>) {
  return {rt::Kernel{.op = Cast::kOp,
                     .name = kKernelName<Cast, From, Tos>.text,
                     .types = {dtype_of<From>, DType::invalid, dtype_of<Tos>},
                     .run = rt::run_elementwise,
                     .tile = unary_tile<From, Tos, convert<From, Tos>>}...};
}
template <class... Ts>
constexpr auto cast_table(Types<Ts...> all) {
  return concatenate(cast_from<Ts>(all)...);
}

}  // namespace

rt::KernelTable cast_kernels() {
  static constexpr auto table = cast_table(join(Numeric{}, Types<bool>{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
