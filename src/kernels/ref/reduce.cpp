/// Reductions in the order of the elements, float32 in float64.
#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::ref {
namespace {

struct Sum {
  static constexpr const char* kOp = "Sum";
  template <class A>
  static A combine(A a, A b) {
    return a + b;
  }
};

/// Bit i: axis i is reduced. Attribute 0 lists the axes; absent: all.
bool reduced_axes(const rt::KernelCall& c, bool (&reduced)[256]) {
  const int rank = c.in[0].rank;
  const rt::Attr& axes = c.attrs[0];
  for (int i = 0; i < rank; ++i) reduced[i] = !axes.has_value();
  for (std::uint32_t i = 0; axes.has_value() && i < axes.count; ++i)
    reduced[axes.ints[i] < 0 ? axes.ints[i] + rank : axes.ints[i]] = true;
  return true;
}

/// Position in the output of input element `index`.
std::int64_t output_index(const rt::View& in, const bool (&reduced)[256], std::int64_t index) {
  std::int64_t out = 0, step = 1;
  for (int axis = in.rank - 1; axis >= 0; --axis) {
    const std::int64_t at = index % in.dims[axis];
    index /= in.dims[axis];
    if (reduced[axis]) continue;
    out += at * step;
    step *= in.dims[axis];
  }
  return out;
}

template <class T>
using Accumulator = std::conditional_t<std::is_same_v<decltype(compute(T{})), float>, double, decltype(compute(T{}))>;

rt::Needs need_accumulators(const rt::KernelCall& c) {
  return {.workspace = c.out[0].size() * 16};
}

template <class Op, class T>
Status run(const rt::KernelCall& c) {
  bool reduced[256] = {};
  reduced_axes(c, reduced);
  auto* sums = static_cast<Accumulator<T>*>(c.workspace);
  const std::int64_t n = c.in[0].size(), m = c.out[0].size();
  for (std::int64_t i = 0; i < m; ++i) sums[i] = {};
  for (std::int64_t i = 0; i < n; ++i) {
    auto& s = sums[output_index(c.in[0], reduced, i)];
    s = Op::combine(s, Accumulator<T>(compute(c.in[0].as<T>()[i])));
  }
  for (std::int64_t i = 0; i < m; ++i) {
    if constexpr (std::is_same_v<Accumulator<T>, double> && !std::is_same_v<T, double>) {
      c.out[0].as<T>()[i] = wrap<T>(float(sums[i]));
    } else {
      c.out[0].as<T>()[i] = wrap<T>(sums[i]);
    }
  }
  return {};
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .need = need_accumulators,
                     .run = run<Op, Ts>}...};
}

}  // namespace

rt::KernelTable reduce_kernels() {
  static const auto table = kernels<Sum>(Numeric{});
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
