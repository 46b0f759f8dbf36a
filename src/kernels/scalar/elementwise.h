#pragma once

/// Element-wise kernels from a function of one element: the tile loops for every combination of broadcast operands.
/// WEIR_ISA (ref, baseline, avx2 ...) is the namespace: code compiled with special flags must not be merged with other
/// code of the same name.

#include "runtime/elementwise.h"

#include <utility>

namespace weir::kernels::WEIR_ISA {

/// dst[i] = F(a[i * step])
template <class In, class Out, auto F>
void unary_tile(void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const rt::Attr*) {
  const In* a = static_cast<const In*>(src[0]);
  Out* y = static_cast<Out*>(dst);
  if (step[0]) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = F(a[i]);
  } else {
    const Out v = F(a[0]);
    for (std::int64_t i = 0; i < n; ++i) y[i] = v;
  }
}

template <class In, class Out, auto F>
void binary_tile(void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const rt::Attr*) {
  const In* a = static_cast<const In*>(src[0]);
  const In* b = static_cast<const In*>(src[1]);
  Out* y = static_cast<Out*>(dst);
  if (step[0] && step[1]) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = F(a[i], b[i]);
  } else if (step[0]) {
    const In v = b[0];
    for (std::int64_t i = 0; i < n; ++i) y[i] = F(a[i], v);
  } else if (step[1]) {
    const In v = a[0];
    for (std::int64_t i = 0; i < n; ++i) y[i] = F(v, b[i]);
  } else {
    const Out v = F(a[0], b[0]);
    for (std::int64_t i = 0; i < n; ++i) y[i] = v;
  }
}

}  // namespace weir::kernels::WEIR_ISA
