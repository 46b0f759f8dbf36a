#pragma once

/// The geometry of pooling, read from the attributes of a call; the same for every provider.

#include "kernels/scalar/conv.h"

namespace weir::kernels::WEIR_ISA {

struct PoolShape {
  std::int64_t batch, channels;
  ConvAxis y, x;

  /// Position of channel 0 of an input or an output cell.
  std::int64_t input(std::int64_t n, std::int64_t i, std::int64_t j) const {
    return ((n * y.in + i) * x.in + j) * channels;
  }
  std::int64_t output(std::int64_t n, std::int64_t i, std::int64_t j) const {
    return ((n * y.out + i) * x.out + j) * channels;
  }
};

/// `first`: index of `ksize`, which strides, padding and, with `explicit_paddings`, those follow.
inline PoolShape pool_shape(const rt::View& input,
                            const rt::Attr* attrs,
                            int first,
                            bool explicit_paddings) {
  const auto axis = [&](int a) {
    return conv_axis(a,
                     input.dims[a],
                     attrs[first].ints[a],
                     attrs[first + 1],
                     attrs[first + 2],
                     explicit_paddings ? &attrs[first + 3] : nullptr,
                     nullptr);
  };
  return {input.dims[0], input.dims[3], axis(1), axis(2)};
}

/// The cells [begin, end) of output `at`'s window that exist.
struct PoolRange {
  std::int64_t begin, end;
};
inline PoolRange pool_cells(const ConvAxis& a, std::int64_t at) {
  const std::int64_t first = a.cell(at, 0);
  return {first < 0 ? 0 : first, first + a.filter < a.in ? first + a.filter : a.in};
}

}  // namespace weir::kernels::WEIR_ISA
