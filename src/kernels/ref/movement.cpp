/// Ops that move elements, one element or row after another.
#include "kernels/scalar/move_ops.h"

namespace weir::kernels::ref {
namespace {

/// Row by row; along the innermost axis the two pieces that roll past each other.
Status roll(const rt::KernelCall& c) {
  const rt::View &x = c.in[0], &y = c.out[0];
  if (y.size() == 0) return {};
  if (y.rank == 0) return MoveOps<PlainMover>::copy(c);
  std::int64_t shift[256] = {};
  for (std::uint32_t i = 0; i < c.attrs[1].count; ++i) {
    const std::int64_t axis = positive(c.attrs[1].ints[i], x.rank), n = x.dims[axis];
    shift[axis] = (shift[axis] + (c.attrs[0].ints[i] % n + n) % n) % n;
  }
  const int inner = x.rank - 1;
  const std::int64_t n = x.dims[inner], cut = n - shift[inner], element = byte_size(x.dtype);
  const Steps step(x);
  std::int64_t index[256] = {};
  for (std::int64_t row = 0; row < y.size() / n; ++row) {
    std::int64_t from = 0;
    for (int a = 0; a < inner; ++a)
      from += (index[a] - shift[a] + (index[a] < shift[a] ? x.dims[a] : 0)) * step[a];
    const char* src = x.as<char>() + from * element;
    char* dst = y.as<char>() + row * n * element;
    copy_bytes(dst + shift[inner] * element, src, cut * element);
    copy_bytes(dst, src + cut * element, shift[inner] * element);
    for (int a = inner - 1; a >= 0 && ++index[a] == x.dims[a]; --a)
      index[a] = 0;
  }
  return {};
}

}  // namespace

rt::KernelTable movement_kernels() {
  static const auto table = concatenate(
      move_kernels<PlainMover>(),
      std::array{any_kernel<"Roll">(roll), any_kernel<"Bitcast">(MoveOps<PlainMover>::copy)});
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
