/// Ops that make tensors: shapes, constants, ranges, one-hot vectors.
#include <complex>

#include "base/range.h"
#include "kernels/scalar/any_kernel.h"
#include "kernels/scalar/movement.h"

namespace weir::kernels::ref {
namespace {

void store_index(const rt::View& out, std::int64_t i, std::int64_t value) {
  if (out.dtype == DType::int64) {
    out.as<std::int64_t>()[i] = value;
  } else {
    out.as<std::int32_t>()[i] = std::int32_t(value);
  }
}

/// Shapes and sizes are int32 by default.
Status check_index(const rt::KernelCall& c, std::int64_t value) {
  if (c.out[0].dtype == DType::int64 || value <= INT32_MAX) return {};
  rt::Message(c) << value << " does not fit int32; pass out_type = DType::int64";
  return rt::invalid("a size does not fit int32");
}

Status shape(const rt::KernelCall& c) {
  for (int i = 0; i < c.in[0].rank; ++i) {
    if (Status s = check_index(c, c.in[0].dims[i]); !s.ok()) return s;
    store_index(c.out[0], i, c.in[0].dims[i]);
  }
  return {};
}

Status shape_n(const rt::KernelCall& c) {
  for (int i = 0; i < c.n_in; ++i) {
    rt::KernelCall one = c;
    one.in += i;
    one.out += i;
    if (Status s = shape(one); !s.ok()) return s;
  }
  return {};
}

Status size(const rt::KernelCall& c) {
  store_index(c.out[0], 0, c.in[0].size());
  return check_index(c, c.in[0].size());
}

Status rank(const rt::KernelCall& c) {
  store_index(c.out[0], 0, c.in[0].rank);
  return {};
}

Status fill(const rt::KernelCall& c) {
  fill_elements(c.out[0].data, c.in[0].data, c.out[0].size(), byte_size(c.out[0].dtype));
  return {};
}

Status zeros_like(const rt::KernelCall& c) {
  fill_zero(c.out[0]);
  return {};
}

template <class T>
T one() {
  if constexpr (std::is_same_v<T, bool>)
    return true;
  else if constexpr (std::is_integral_v<T>)
    return T(1);
  else if constexpr (std::is_same_v<T, std::complex<float>> ||
                     std::is_same_v<T, std::complex<double>>)
    return T(1);
  else
    return wrap<T>(decltype(compute(T{}))(1));
}

template <class T>
Status ones_like(const rt::KernelCall& c) {
  const T value = one<T>();
  fill_elements(c.out[0].data, &value, c.out[0].size(), sizeof value);
  return {};
}

/// The type in which element i of a range is computed: it is rounded once.
template <class T>
using RangeNumber = std::conditional_t<std::is_integral_v<T>, T, double>;
template <class T>
RangeNumber<T> range_number(const rt::View& v) {
  if constexpr (std::is_integral_v<T>)
    return *v.as<T>();
  else
    return double(compute(*v.as<T>()));
}

template <class T>
Status range_dims(const rt::KernelCall& c, std::int64_t* const* dims) {
  const auto start = range_number<T>(c.in[0]), limit = range_number<T>(c.in[1]),
             delta = range_number<T>(c.in[2]);
  const char* problem = nullptr;
  if constexpr (std::is_integral_v<T>) {
    problem = base::range_count(std::int64_t(start),
                                std::int64_t(limit),
                                std::int64_t(delta),
                                std::is_unsigned_v<T>,
                                dims[0]);
  } else {
    problem = base::range_count(start, limit, delta, dims[0]);
  }
  return problem ? rt::invalid(problem) : Status();
}

template <class T>
Status range(const rt::KernelCall& c) {
  const auto start = range_number<T>(c.in[0]), delta = range_number<T>(c.in[2]);
  T* y = c.out[0].as<T>();
  for (std::int64_t i = 0; i < c.out[0].size(); ++i) {
    if constexpr (std::is_integral_v<T>) {
      y[i] = T(std::uint64_t(start) + std::uint64_t(i) * std::uint64_t(delta));
    } else {
      y[i] = wrap<T>(decltype(compute(T{}))(start + double(i) * delta));
    }
  }
  return {};
}

template <class T>
Status linspace(const rt::KernelCall& c) {
  const double start = double(compute(*c.in[0].as<T>())), stop = double(compute(*c.in[1].as<T>()));
  const std::int64_t n = c.out[0].size();
  T* y = c.out[0].as<T>();
  const double step = n > 1 ? (stop - start) / double(n - 1) : 0;
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = wrap<T>(decltype(compute(T{}))(start + double(i) * step));
  if (n > 1) y[n - 1] = *c.in[1].as<T>();
  return {};
}

/// indices [outer, inner] -> [outer, depth, inner]
template <class Index>
Status one_hot(const rt::KernelCall& c) {
  const rt::View &indices = c.in[0], &y = c.out[0];
  const std::int64_t element = byte_size(y.dtype);
  fill_elements(y.data, c.in[2].data, y.size(), element);
  const int axis = c.attrs[1].i < 0 ? indices.rank : int(c.attrs[1].i);
  std::int64_t inner = 1;
  for (int i = axis; i < indices.rank; ++i)
    inner *= indices.dims[i];
  const std::int64_t depth = y.dims[axis], n = indices.size();
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = std::int64_t(indices.as<Index>()[i]);
    if (at < 0 || at >= depth) continue;
    const std::int64_t position = (i / inner * depth + at) * inner + i % inner;
    copy_bytes(y.as<char>() + position * element, c.in[1].data, element);
  }
  return {};
}

template <class... Ts>
constexpr auto ones_like_kernels(Types<Ts...>) {
  using Op = Named<"OnesLike">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .run = ones_like<Ts>}...};
}
template <class... Ts>
constexpr auto range_kernels(Types<Ts...>) {
  using Op = Named<"Range">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .output_dims = range_dims<Ts>,
                               .run = range<Ts>}...};
}
template <class... Ts>
constexpr auto linspace_kernels(Types<Ts...>) {
  using Op = Named<"LinSpace">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .run = linspace<Ts>}...};
}
template <class... Ts>
constexpr auto one_hot_kernels(Types<Ts...>) {
  using Op = Named<"OneHot">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .run = one_hot<Ts>}...};
}

}  // namespace

rt::KernelTable fill_kernels() {
  static const auto table =
      concatenate(std::array{any_kernel<"Shape">(shape),
                             any_kernel<"ShapeN">(shape_n),
                             any_kernel<"Size">(size),
                             any_kernel<"Rank">(rank),
                             any_kernel<"Fill">(fill),
                             any_kernel<"ZerosLike">(zeros_like)},
                  ones_like_kernels(Plain{}),
                  range_kernels(Real{}),
                  linspace_kernels(Floating{}),
                  one_hot_kernels(Types<std::uint8_t, std::int8_t, std::int32_t, std::int64_t>{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
