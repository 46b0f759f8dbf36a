#pragma once

/// What the kernels of gather share. params [batch, outer, length, inner], indices [batch, count]
/// -> [batch, outer, count, inner].

#include "kernels/scalar/index_error.h"
#include "kernels/scalar/movement.h"

namespace weir::kernels::WEIR_ISA {

inline Status check_indices(const rt::KernelCall& c, std::int64_t bound) {
  const rt::View& indices = c.in[1];
  const std::int64_t n = indices.size();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t at = load_index(indices, i);
    if (at < 0 || at >= bound)
      return index_error(c, "indices", indices, indices.rank, i, at, bound);
  }
  return {};
}

struct GatherShape {
  std::int64_t batch = 1, outer = 1, length = 1, count = 1;
  std::int64_t inner = 1;  // bytes

  explicit GatherShape(const rt::KernelCall& c) {
    const rt::View &params = c.in[0], &indices = c.in[1];
    const auto axis =
        int(c.attrs[0].ints[0] < 0 ? c.attrs[0].ints[0] + params.rank : c.attrs[0].ints[0]);
    const auto shared = int(c.attrs[1].i < 0 ? c.attrs[1].i + indices.rank : c.attrs[1].i);
    inner = byte_size(params.dtype);
    for (int i = 0; i < params.rank; ++i)
      (i < shared ? batch : i < axis ? outer : i == axis ? length : inner) *= params.dims[i];
    for (int i = shared; i < indices.rank; ++i)
      count *= indices.dims[i];
  }
};

/// Rows [begin, end) of the result, which has batch * outer * count of them.
inline void gather_rows(const rt::KernelCall& c,
                        const GatherShape& g,
                        std::int64_t begin,
                        std::int64_t end) {
  const char* params = c.in[0].as<char>();
  char* out = c.out[0].as<char>();
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = i / g.count;
    const std::int64_t at = load_index(c.in[1], row / g.outer * g.count + i % g.count);
    copy_bytes(out + i * g.inner, params + (row * g.length + at) * g.inner, g.inner);
  }
}

}  // namespace weir::kernels::WEIR_ISA
