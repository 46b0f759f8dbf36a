/// The k largest, and positions in sorted rows.
#include <algorithm>

#include "kernels/scalar/any_kernel.h"
#include "kernels/scalar/combine.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::ref {
namespace {

rt::Needs need_order(const rt::KernelCall& c) {
  const rt::View& x = c.in[0];
  return {.workspace = x.rank ? x.dims[x.rank - 1] * std::int64_t(sizeof(std::int32_t)) : 0};
}

/// Greater values first, NaN last, then lower positions first: a total order.
template <class T>
struct Before {
  const T* row;
  bool operator()(std::int32_t a, std::int32_t b) const {
    const bool nan_a = is_nan(row[a]), nan_b = is_nan(row[b]);
    if (nan_a != nan_b) return nan_b;
    if (less_than(row[b], row[a])) return true;
    if (less_than(row[a], row[b])) return false;
    return a < b;
  }
};

template <class T>
Status top_k(const rt::KernelCall& c) {
  const rt::View& x = c.in[0];
  const std::int64_t n = x.dims[x.rank - 1], k = c.out[0].dims[x.rank - 1];
  auto* order = static_cast<std::int32_t*>(c.workspace);
  const std::int64_t rows = k == 0 ? 0 : c.out[0].size() / k;
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* row = x.as<T>() + r * n;
    for (std::int64_t i = 0; i < n; ++i)
      order[i] = std::int32_t(i);
    std::partial_sort(order, order + k, order + n, Before<T>{row});
    for (std::int64_t i = 0; i < k; ++i) {
      c.out[0].as<T>()[r * k + i] = row[order[i]];
      c.out[1].as<std::int32_t>()[r * k + i] = order[i];
    }
  }
  return {};
}

template <class T, bool kUpper>
std::int64_t position(const T* row, std::int64_t n, T value) {
  std::int64_t low = 0;
  while (n > 0) {
    const std::int64_t half = n / 2;
    const bool right =
        kUpper ? !less_than(value, row[low + half]) : less_than(row[low + half], value);
    if (right) low += half + 1;
    n = right ? n - half - 1 : half;
  }
  return low;
}

template <class T, bool kUpper>
Status bound(const rt::KernelCall& c) {
  const std::int64_t n = c.in[0].dims[1], m = c.in[1].dims[1], total = c.in[1].size();
  const bool wide = c.out[0].dtype == DType::int64;
  if (!wide && n > INT32_MAX) return rt::invalid("positions do not fit int32");
  for (std::int64_t i = 0; i < total; ++i) {
    const std::int64_t at = position<T, kUpper>(c.in[0].as<T>() + i / m * n, n, c.in[1].as<T>()[i]);
    if (wide)
      c.out[0].as<std::int64_t>()[i] = at;
    else
      c.out[0].as<std::int32_t>()[i] = std::int32_t(at);
  }
  return {};
}

template <class... Ts>
constexpr auto tables(Types<Ts...>) {
  using Top = Named<"TopKV2">;
  using Lower = Named<"LowerBound">;
  using Upper = Named<"UpperBound">;
  return concatenate(std::array{rt::Kernel{.op = Top::kOp,
                                           .name = kKernelName<Top, Ts>.text,
                                           .types = {dtype_of<Ts>},
                                           .need = need_order,
                                           .run = top_k<Ts>}...},
                     std::array{rt::Kernel{.op = Lower::kOp,
                                           .name = kKernelName<Lower, Ts>.text,
                                           .types = {dtype_of<Ts>},
                                           .run = bound<Ts, false>}...},
                     std::array{rt::Kernel{.op = Upper::kOp,
                                           .name = kKernelName<Upper, Ts>.text,
                                           .types = {dtype_of<Ts>},
                                           .run = bound<Ts, true>}...});
}

}  // namespace

rt::KernelTable sort_kernels() {
  static const auto table = tables(Real{});
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
