/// Coordinates of the elements that are not zero.
#include "kernels/scalar/any_kernel.h"

namespace weir::kernels::ref {
namespace {

template <class T>
bool is_set(T v) {
  if constexpr (std::is_same_v<T, bool>)
    return v;
  else
    return compute(v) != decltype(compute(v)){};
}

template <class T>
Status where_dims(const rt::KernelCall& c, std::int64_t* const* dims) {
  const std::int64_t n = c.in[0].size();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i)
    count += is_set(c.in[0].as<T>()[i]);
  dims[0][0] = count;
  return {};
}

template <class T>
Status where(const rt::KernelCall& c) {
  const rt::View& x = c.in[0];
  const std::int64_t n = x.size();
  auto* y = c.out[0].as<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    if (!is_set(x.as<T>()[i])) continue;
    std::int64_t rest = i;
    for (int a = x.rank - 1; a >= 0; rest /= x.dims[a--])
      y[a] = rest % x.dims[a];
    y += x.rank;
  }
  return {};
}

template <class... Ts>
constexpr auto where_table(Types<Ts...>) {
  using Op = Named<"Where">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .output_dims = where_dims<Ts>,
                               .run = where<Ts>}...};
}

}  // namespace

rt::KernelTable where_kernels() {
  static const auto table = where_table(Plain{});
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
