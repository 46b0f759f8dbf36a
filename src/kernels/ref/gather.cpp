/// Picking elements by index.
#include "kernels/scalar/any_kernel.h"
#include "kernels/scalar/index_error.h"
#include "kernels/scalar/movement.h"

namespace weir::kernels::ref {
namespace {

std::int64_t product(const std::int64_t* dims, int begin, int end) {
  std::int64_t n = 1;
  for (int i = begin; i < end; ++i)
    n *= dims[i];
  return n;
}

Status check_indices(const rt::KernelCall& c, std::int64_t bound) {
  const rt::View& indices = c.in[1];
  const std::int64_t n = indices.size();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t at = load_index(indices, i);
    if (at < 0 || at >= bound)
      return index_error(c, "indices", indices, indices.rank, i, at, bound);
  }
  return {};
}

/// params [batch, outer, length, inner], indices [batch, count] -> [batch, outer, count, inner]
Status gather(const rt::KernelCall& c) {
  const rt::View &params = c.in[0], &indices = c.in[1];
  const auto axis =
      int(c.attrs[0].ints[0] < 0 ? c.attrs[0].ints[0] + params.rank : c.attrs[0].ints[0]);
  const auto shared = int(c.attrs[1].i < 0 ? c.attrs[1].i + indices.rank : c.attrs[1].i);
  const std::int64_t length = params.dims[axis];
  if (Status s = check_indices(c, length); !s.ok()) return s;
  const std::int64_t batch = product(params.dims, 0, shared),
                     outer = product(params.dims, shared, axis);
  const std::int64_t count = product(indices.dims, shared, indices.rank);
  const std::int64_t inner = product(params.dims, axis + 1, params.rank) * byte_size(params.dtype);
  char* out = c.out[0].as<char>();
  for (std::int64_t row = 0; row < batch * outer; ++row) {
    const char* from = params.as<char>() + row * length * inner;
    for (std::int64_t i = 0; i < count; ++i, out += inner)
      copy_bytes(out, from + load_index(indices, row / outer * count + i) * inner, inner);
  }
  return {};
}

/// indices [n, k], params [d0 .. dk-1, inner] -> [n, inner]
Status gather_nd(const rt::KernelCall& c) {
  const rt::View &params = c.in[0], &indices = c.in[1];
  const auto depth = int(indices.dims[indices.rank - 1]);
  const std::int64_t n = product(indices.dims, 0, indices.rank - 1);
  const std::int64_t inner = product(params.dims, depth, params.rank) * byte_size(params.dtype);
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t at = 0;
    for (int k = 0; k < depth; ++k) {
      const std::int64_t v = load_index(indices, i * depth + k);
      if (v < 0 || v >= params.dims[k])
        return index_error(c, "indices", indices, indices.rank, i * depth + k, v, params.dims[k]);
      at = at * params.dims[k] + v;
    }
    copy_bytes(c.out[0].as<char>() + i * inner, params.as<char>() + at * inner, inner);
  }
  return {};
}

}  // namespace

rt::KernelTable gather_kernels() {
  static const auto table =
      std::array{any_kernel<"GatherV2">(gather), any_kernel<"GatherNd">(gather_nd)};
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
