/// Diagonals and bands; images in blocks; mirror borders; permutations.
#include "kernels/scalar/combine.h"
#include "kernels/scalar/index_error.h"
#include "kernels/scalar/move_ops.h"

namespace weir::kernels::ref {
namespace {

/// diagonal [batch, d] into the diagonals of y [batch, m, n].
void set_diagonal(const rt::KernelCall& c, const rt::View& diagonal, const rt::View& y) {
  const std::int64_t m = y.dims[y.rank - 2], n = y.dims[y.rank - 1], d = m < n ? m : n;
  Movement move(diagonal.data, y.data, y.dtype);
  move.axis(product(y.dims, 0, y.rank - 2), d, m * n);
  move.axis(d, 1, n + 1);
  PlainMover::run(c, move);
}

Status matrix_diag(const rt::KernelCall& c) {
  fill_zero(c.out[0]);
  set_diagonal(c, c.in[0], c.out[0]);
  return {};
}

Status matrix_set_diag(const rt::KernelCall& c) {
  copy_bytes(c.out[0].data, c.in[0].data, c.out[0].bytes());
  set_diagonal(c, c.in[1], c.out[0]);
  return {};
}

Status matrix_diag_part(const rt::KernelCall& c) {
  const rt::View& x = c.in[0];
  const std::int64_t m = x.dims[x.rank - 2], n = x.dims[x.rank - 1], d = m < n ? m : n;
  Movement move(x.data, c.out[0].data, x.dtype);
  move.axis(product(x.dims, 0, x.rank - 2), m * n, d);
  move.axis(d, n + 1, 1);
  PlainMover::run(c, move);
  return {};
}

Status matrix_band_part(const rt::KernelCall& c) {
  const rt::View &x = c.in[0], &y = c.out[0];
  if (y.size() == 0) return {};
  const std::int64_t m = x.dims[x.rank - 2], n = x.dims[x.rank - 1], element = byte_size(x.dtype);
  const std::int64_t lower = c.attrs[0].ints[0] < 0 ? m : c.attrs[0].ints[0],
                     upper = c.attrs[1].ints[0] < 0 ? n : c.attrs[1].ints[0];
  fill_zero(y);
  for (std::int64_t row = 0; row < x.size() / n; ++row) {
    const std::int64_t i = row % m;
    const std::int64_t begin = i - lower > 0 ? i - lower : 0,
                       end = i + upper + 1 < n ? i + upper + 1 : n;
    const std::int64_t at = (row * n + begin) * element;
    copy_bytes(y.as<char>() + at, x.as<char>() + at, (end - begin) * element);
  }
  return {};
}

/// image [n, h b, w b, c] to or from blocks [n, h, w, b, b, c].
void move_blocks(const rt::KernelCall& c,
                 const rt::View& image,
                 const rt::View& blocks,
                 bool to_image) {
  const std::int64_t b = c.attrs[0].i, h = blocks.dims[1], w = blocks.dims[2],
                     channels = image.dims[3];
  Movement m(c.in[0].data, c.out[0].data, image.dtype);
  const auto axis = [&](std::int64_t n, std::int64_t in_image, std::int64_t in_blocks) {
    to_image ? m.axis(n, in_blocks, in_image) : m.axis(n, in_image, in_blocks);
  };
  const std::int64_t row = w * b * channels, block = b * b * channels;
  axis(image.dims[0], h * b * row, h * w * block);
  axis(h, b * row, w * block);
  axis(w, b * channels, block);
  axis(b, row, b * channels);
  axis(b, channels, channels);
  axis(channels, 1, 1);
  PlainMover::run(c, m);
}

Status space_to_depth(const rt::KernelCall& c) {
  move_blocks(c, c.in[0], c.out[0], false);
  return {};
}

Status depth_to_space(const rt::KernelCall& c) {
  move_blocks(c, c.out[0], c.in[0], true);
  return {};
}

/// Position in an axis of `n` that position i of the padded axis repeats.
std::int64_t mirrored(std::int64_t i, std::int64_t before, std::int64_t n, std::int64_t border) {
  i -= before;
  if (i < 0) return -i - 1 + border;
  return i < n ? i : 2 * n - 1 - border - i;
}

/// Calls visit(flat position in the padded array, flat position in the inner one) in order.
template <class Visit>
void walk_mirror(const rt::KernelCall& c,
                 const rt::View& padded,
                 const rt::View& inner,
                 Visit&& visit) {
  const std::int64_t border = c.attrs[1].count == 7 ? 1 : 0;  // REFLECT, not SYMMETRIC
  const Steps step(inner);
  std::int64_t index[256] = {};
  const std::int64_t n = padded.size();
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t at = 0;
    for (int a = 0; a < padded.rank; ++a)
      at += mirrored(index[a], c.attrs[0].ints[2 * a], inner.dims[a], border) * step[a];
    visit(i, at);
    for (int a = padded.rank - 1; a >= 0 && ++index[a] == padded.dims[a]; --a)
      index[a] = 0;
  }
}

Status mirror_pad(const rt::KernelCall& c) {
  with_element(byte_size(c.out[0].dtype), [&]<int N>(Bytes<N>) {
    const auto* x = c.in[0].as<Bytes<N>>();
    auto* y = c.out[0].as<Bytes<N>>();
    walk_mirror(c, c.out[0], c.in[0], [&](std::int64_t i, std::int64_t at) { y[i] = x[at]; });
  });
  return {};
}

template <class T>
Status mirror_pad_grad(const rt::KernelCall& c) {
  fill_zero(c.out[0]);
  const T* dy = c.in[0].as<T>();
  T* y = c.out[0].as<T>();
  walk_mirror(c, c.in[0], c.out[0], [&](std::int64_t i, std::int64_t at) {
    y[at] = Plus::apply<T>(y[at], dy[i]);
  });
  return {};
}

template <class T>
Status invert_permutation(const rt::KernelCall& c) {
  const std::int64_t n = c.in[0].size();
  const T* x = c.in[0].as<T>();
  T* y = c.out[0].as<T>();
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = T(-1);
  for (std::int64_t i = 0; i < n; ++i) {
    if (x[i] < 0 || x[i] >= n) return index_error(c, "x", c.in[0], 1, i, std::int64_t(x[i]), n);
    if (y[x[i]] != T(-1)) {
      rt::Message(c) << "x is no permutation: " << std::int64_t(x[i]) << " appears twice";
      return rt::invalid("no permutation");
    }
    y[x[i]] = T(i);
  }
  return {};
}

template <class... Ts>
constexpr auto mirror_grad_table(Types<Ts...>) {
  using Op = Named<"MirrorPadGrad">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .run = mirror_pad_grad<Ts>}...};
}
template <class... Ts>
constexpr auto invert_table(Types<Ts...>) {
  using Op = Named<"InvertPermutation">;
  return std::array{rt::Kernel{.op = Op::kOp,
                               .name = kKernelName<Op, Ts>.text,
                               .types = {dtype_of<Ts>},
                               .run = invert_permutation<Ts>}...};
}

}  // namespace

rt::KernelTable matrix_kernels() {
  static const auto table = concatenate(std::array{any_kernel<"MatrixDiag">(matrix_diag),
                                                   any_kernel<"MatrixSetDiag">(matrix_set_diag),
                                                   any_kernel<"MatrixDiagPart">(matrix_diag_part),
                                                   any_kernel<"MatrixBandPart">(matrix_band_part),
                                                   any_kernel<"SpaceToDepth">(space_to_depth),
                                                   any_kernel<"DepthToSpace">(depth_to_space),
                                                   any_kernel<"MirrorPad">(mirror_pad)},
                                        mirror_grad_table(Numeric{}),
                                        invert_table(Types<std::int32_t, std::int64_t>{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
