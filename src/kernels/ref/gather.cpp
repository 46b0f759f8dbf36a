/// Picking elements by index.
#include "kernels/scalar/gather.h"

#include "kernels/scalar/any_kernel.h"

namespace weir::kernels::ref {
namespace {

std::int64_t product(const std::int64_t* dims, int begin, int end) {
  std::int64_t n = 1;
  for (int i = begin; i < end; ++i)
    n *= dims[i];
  return n;
}

Status gather(const rt::KernelCall& c) {
  const GatherShape g(c);
  if (Status s = check_indices(c, g.length); !s.ok()) return s;
  gather_rows(c, g, 0, g.batch * g.outer * g.count);
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
