/// Reductions and scans in the order of the elements; float32 and half types in float64.
#include <limits>

#include "kernels/scalar/reduction.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::ref {
namespace {

/// What sums and products are accumulated in.
template <class T>
using Wide = std::
    conditional_t<std::is_same_v<decltype(compute(T{})), float>, double, decltype(compute(T{}))>;
template <class T>
Wide<T> widen(T v) {
  return Wide<T>(compute(v));
}
template <class T, class A>
T narrow(A a) {
  if constexpr (std::is_same_v<A, double> && !std::is_same_v<T, double>)
    return wrap<T>(float(a));
  else
    return wrap<T>(a);
}

struct Sum {
  static constexpr const char* kOp = "Sum";
  template <class T>
  static Wide<T> first() {
    return {};
  }
  template <class T>
  static Wide<T> add(Wide<T> a, T v) {
    return a + widen(v);
  }
  template <class T>
  static T finish(Wide<T> a, std::int64_t) {
    return narrow<T>(a);
  }
};
struct Mean : Sum {
  static constexpr const char* kOp = "Mean";
  template <class T>
  static T finish(Wide<T> a, std::int64_t n) {
    if constexpr (!std::is_integral_v<T>)
      return narrow<T>(a / Wide<T>(double(n)));
    else if constexpr (std::is_signed_v<T>)
      return n == 0 ? T(0) : T(std::int64_t(a) / n);
    else
      return n == 0 ? T(0) : T(a / std::uint64_t(n));
  }
};
struct Prod : Sum {
  static constexpr const char* kOp = "Prod";
  template <class T>
  static Wide<T> first() {
    return Wide<T>(1);
  }
  template <class T>
  static Wide<T> add(Wide<T> a, T v) {
    return a * widen(v);
  }
};

template <class T>
using Value = decltype(value(T{}));
/// The lowest or the highest value: infinite for floats.
template <class T>
constexpr Value<T> lowest() {
  using V = Value<T>;
  if constexpr (std::is_integral_v<V>)
    return std::numeric_limits<V>::min();
  else
    return -std::numeric_limits<V>::infinity();
}
template <class T>
constexpr Value<T> highest() {
  using V = Value<T>;
  if constexpr (std::is_integral_v<V>)
    return std::numeric_limits<V>::max();
  else
    return std::numeric_limits<V>::infinity();
}

struct Max {
  static constexpr const char* kOp = "Max";
  template <class T>
  static Value<T> first() {
    return lowest<T>();
  }
  template <class T>
  static Value<T> add(Value<T> a, T v) {
    const Value<T> x = value(v);
    return ((a > x) | (a != a)) ? a : x;
  }
  template <class T>
  static T finish(Value<T> a, std::int64_t) {
    return wrap<T>(a);
  }
};
struct Min : Max {
  static constexpr const char* kOp = "Min";
  template <class T>
  static Value<T> first() {
    return highest<T>();
  }
  template <class T>
  static Value<T> add(Value<T> a, T v) {
    const Value<T> x = value(v);
    return ((a < x) | (a != a)) ? a : x;
  }
};
struct Any : Max {
  static constexpr const char* kOp = "Any";
  template <class T>
  static bool first() {
    return false;
  }
  template <class T>
  static bool add(bool a, T v) {
    return a | v;
  }
};
struct All : Max {
  static constexpr const char* kOp = "All";
  template <class T>
  static bool first() {
    return true;
  }
  template <class T>
  static bool add(bool a, T v) {
    return a & v;
  }
};

template <class Op, class T>
Status run_reduction(const rt::KernelCall& c) {
  Reduction r;
  if (!plan_reduction(c, r)) return rt::invalid("too many groups of axes");
  const T* x = c.in[0].as<T>();
  T* y = c.out[0].as<T>();
  const std::int64_t n = r.reduced.size();
  rt::parallel_ranges(
      c,
      c.out[0].size(),
      n >= 4096 ? 1 : 4096 / (n + 1) + 1,
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t o = begin; o < end; ++o) {
          const std::int64_t base = r.kept.offset(o);
          auto sum = Op::template first<T>();
          for_each_run(r.reduced, [&](std::int64_t at, std::int64_t count, std::int64_t stride) {
            for (std::int64_t i = 0; i < count; ++i)
              sum = Op::template add<T>(sum, x[base + at + i * stride]);
          });
          y[o] = Op::template finish<T>(sum, n);
        }
      });
  return {};
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .run = run_reduction<Op, Ts>}...};
}

struct ArgMax {
  static constexpr const char* kOp = "ArgMax";
  template <class V>
  static bool better(V a, V b) {
    return a > b;
  }
};
struct ArgMin {
  static constexpr const char* kOp = "ArgMin";
  template <class V>
  static bool better(V a, V b) {
    return a < b;
  }
};

/// Index of the best of n elements; a NaN gives way to any number.
template <class Op, class T>
std::int64_t best_index(const T* x, std::int64_t n, std::int64_t stride) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const auto v = value(x[i * stride]), b = value(x[best * stride]);
    if (Op::better(v, b) | ((b != b) & (v == v))) best = i;
  }
  return best;
}

template <class Op, class T, class Index>
Status run_arg(const rt::KernelCall& c) {
  const Line l = line_of(c);
  Index* y = c.out[0].as<Index>();
  for (std::int64_t o = 0; o < l.outer; ++o) {
    const T* x = c.in[0].as<T>() + o * l.n * l.inner;
    for (std::int64_t i = 0; i < l.inner; ++i)
      y[o * l.inner + i] = Index(best_index<Op>(x + i, l.n, l.inner));
  }
  return {};
}

template <class Op, class Index, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> arg_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts, Index>.text,
                     .types = {dtype_of<Ts>, DType::invalid, dtype_of<Index>},
                     .run = run_arg<Op, Ts, Index>}...};
}

/// The sum of n_in tensors of one shape, element by element in their order.
struct AddN {
  static constexpr const char* kOp = "AddN";
};
template <class T>
Status run_add_n(const rt::KernelCall& c) {
  rt::parallel_ranges(c, c.out[0].size(), 16384, [&](std::int64_t begin, std::int64_t end) {
    T* y = c.out[0].as<T>();
    for (std::int64_t i = begin; i < end; ++i)
      y[i] = c.in[0].as<T>()[i];
    for (int k = 1; k < c.n_in; ++k) {
      const T* x = c.in[k].as<T>();
      for (std::int64_t i = begin; i < end; ++i)
        y[i] = wrap<T>(compute(y[i]) + compute(x[i]));
    }
  });
  return {};
}
template <class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> add_n_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = AddN::kOp,
                     .name = kKernelName<AddN, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .run = run_add_n<Ts>}...};
}

struct Cumsum : Sum {
  static constexpr const char* kOp = "Cumsum";
};
struct Cumprod : Prod {
  static constexpr const char* kOp = "Cumprod";
};

/// Attributes: axis, exclusive, reverse.
template <class Op, class T>
Status run_scan(const rt::KernelCall& c) {
  const Line l = line_of(c);
  const bool exclusive = c.attrs[1].b, reverse = c.attrs[2].b;
  for (std::int64_t o = 0; o < l.outer * l.inner; ++o) {
    const std::int64_t base = o / l.inner * l.n * l.inner + o % l.inner;
    auto sum = Op::template first<T>();
    for (std::int64_t i = 0; i < l.n; ++i) {
      const std::int64_t at = base + (reverse ? l.n - 1 - i : i) * l.inner;
      const auto next = Op::template add<T>(sum, c.in[0].as<T>()[at]);
      c.out[0].as<T>()[at] = narrow<T>(exclusive ? sum : next);
      sum = next;
    }
  }
  return {};
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> scan_kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .run = run_scan<Op, Ts>}...};
}

}  // namespace

rt::KernelTable reduce_kernels() {
  using Ordered = decltype(join(Real{}, Types<bool>{}));
  static constexpr auto table = concatenate(
      concatenate(kernels<Sum>(Numeric{}), kernels<Mean>(Numeric{}), kernels<Prod>(Numeric{})),
      concatenate(kernels<Max>(Real{}), kernels<Min>(Real{})),
      concatenate(kernels<Any>(Types<bool>{}), kernels<All>(Types<bool>{})),
      concatenate(arg_kernels<ArgMax, std::int64_t>(Ordered{}),
                  arg_kernels<ArgMax, std::int32_t>(Ordered{})),
      concatenate(arg_kernels<ArgMin, std::int64_t>(Ordered{}),
                  arg_kernels<ArgMin, std::int32_t>(Ordered{})),
      add_n_kernels(Numeric{}),
      concatenate(scan_kernels<Cumsum>(Numeric{}), scan_kernels<Cumprod>(Numeric{})));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
