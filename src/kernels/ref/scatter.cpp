/// Slices written, or combined, at coordinates. All coordinates are checked before anything is
/// written.
#include "kernels/scalar/any_kernel.h"
#include "kernels/scalar/combine.h"
#include "kernels/scalar/index_error.h"
#include "kernels/scalar/movement.h"

namespace weir::kernels::ref {
namespace {

/// Coordinates [n, depth] into an array whose first `depth` axes they index.
struct Coordinates {
  const rt::View& indices;
  const std::int64_t* dims;
  int depth;
  std::int64_t count;

  Coordinates(const rt::View& i, const rt::View& array) : indices(i), dims(array.dims) {
    depth = int(indices.dims[indices.rank - 1]);
    count = 1;
    for (int a = 0; a + 1 < indices.rank; ++a)
      count *= indices.dims[a];
  }
  Status check(const rt::KernelCall& c) const {
    for (std::int64_t i = 0; i < count * depth; ++i) {
      const std::int64_t at = load_index(indices, i), bound = dims[i % depth];
      if (at < 0 || at >= bound)
        return index_error(c, "indices", indices, indices.rank, i, at, bound);
    }
    return {};
  }
  /// Number of the slice that row i names.
  std::int64_t operator[](std::int64_t i) const {
    std::int64_t at = 0;
    for (int k = 0; k < depth; ++k)
      at = at * dims[k] + load_index(indices, i * depth + k);
    return at;
  }
};

std::int64_t slice_size(const rt::View& array, int depth) {
  std::int64_t n = 1;
  for (int i = depth; i < array.rank; ++i)
    n *= array.dims[i];
  return n;
}

void copy_operand(const rt::KernelCall& c) {
  if (c.out[0].data != c.in[0].data) copy_bytes(c.out[0].data, c.in[0].data, c.out[0].bytes());
}

Status update(const rt::KernelCall& c) {
  const rt::View& y = c.out[0];
  const Coordinates rows(c.in[1], y);
  if (Status s = rows.check(c); !s.ok()) return s;
  copy_operand(c);
  const std::int64_t bytes = slice_size(y, rows.depth) * byte_size(y.dtype);
  for (std::int64_t i = 0; i < rows.count; ++i)
    copy_bytes(y.as<char>() + rows[i] * bytes, c.in[2].as<char>() + i * bytes, bytes);
  return {};
}

template <class Op, class T>
void combine(const Coordinates& rows, const rt::View& y, const rt::View& updates) {
  const std::int64_t size = slice_size(y, rows.depth);
  for (std::int64_t i = 0; i < rows.count; ++i) {
    T* to = y.as<T>() + rows[i] * size;
    const T* from = updates.as<T>() + i * size;
    for (std::int64_t j = 0; j < size; ++j)
      to[j] = Op::template apply<T>(to[j], from[j]);
  }
}

template <class Op, class T>
Status scatter(const rt::KernelCall& c) {
  const Coordinates rows(c.in[1], c.out[0]);
  if (Status s = rows.check(c); !s.ok()) return s;
  copy_operand(c);
  combine<Op, T>(rows, c.out[0], c.in[2]);
  return {};
}

template <class T>
Status scatter_div(const rt::KernelCall& c) {
  if constexpr (std::is_integral_v<T>) {
    for (std::int64_t i = 0; i < c.in[2].size(); ++i) {
      if (c.in[2].as<T>()[i] == 0) return rt::invalid("integer division by zero");
    }
  }
  return scatter<Over, T>(c);
}

template <class T>
Status scatter_nd(const rt::KernelCall& c) {
  const Coordinates rows(c.in[0], c.out[0]);
  if (Status s = rows.check(c); !s.ok()) return s;
  fill_zero(c.out[0]);
  combine<Plus, T>(rows, c.out[0], c.in[1]);
  return {};
}

template <Text Name, class Op, class... Ts>
constexpr auto scatter_table(Types<Ts...>) {
  return std::array{rt::Kernel{.op = Named<Name>::kOp,
                               .name = kKernelName<Named<Name>, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .run = scatter<Op, Ts>}...};
}
template <class... Ts>
constexpr auto scatter_div_table(Types<Ts...>) {
  using Op = Named<"TensorScatterDiv">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .run = scatter_div<Ts>}...};
}
template <class... Ts>
constexpr auto scatter_nd_table(Types<Ts...>) {
  using Op = Named<"ScatterNd">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {DType::invalid, dtype_of<Ts>},
                               .run = scatter_nd<Ts>}...};
}

}  // namespace

rt::KernelTable scatter_kernels() {
  static const auto table = concatenate(std::array{any_kernel<"TensorScatterUpdate">(update)},
                                        scatter_table<"TensorScatterAdd", Plus>(Numeric{}),
                                        scatter_table<"TensorScatterSub", Minus>(Numeric{}),
                                        scatter_table<"TensorScatterMul", Times>(Numeric{}),
                                        scatter_div_table(Numeric{}),
                                        scatter_table<"TensorScatterMax", Greater>(Real{}),
                                        scatter_table<"TensorScatterMin", Smaller>(Real{}),
                                        scatter_nd_table(Numeric{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
