#pragma once

/// Element-wise kernels from a function of one element: the tile loops for every combination of
/// broadcast operands. WEIR_ISA (ref, baseline, avx2 ...) is the namespace: code compiled with
/// special flags must not be merged with other code of the same name.

#include <string_view>

#include "runtime/elementwise.h"

namespace weir::kernels::WEIR_ISA {

#define WEIR_NAME_OF(x) #x
#define WEIR_STRING(x) WEIR_NAME_OF(x)
/// This provider's part of a kernel's name: the namespace.
inline constexpr const char* kProvider = WEIR_STRING(WEIR_ISA);
/// Reference kernels exist for every dtype and are compiled as one plain loop each; the others have
/// a loop for each way of broadcasting, which the compiler vectorises.
inline constexpr bool kReference = std::string_view(kProvider) == "ref";

/// Runs body(i) for i < n. Iterations are independent: dst may be one of the operands, but element
/// i of dst depends on element i only, so no check for overlap is needed.
template <class Body>
inline void for_each(std::int64_t n, Body body) {
#if defined(__clang__)
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
  for (std::int64_t i = 0; i < n; ++i)
    body(i);
}

/// dst[i] = F(a[i * step])
template <class In, class Out, auto F>
[[gnu::flatten]] void unary_tile(
    void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const rt::Attr*) {
  const In* a = static_cast<const In*>(src[0]);
  Out* y = static_cast<Out*>(dst);
  if (step[0]) {
    for_each(n, [=](std::int64_t i) { y[i] = F(a[i]); });
  } else {
    const Out v = F(a[0]);
    for_each(n, [=](std::int64_t i) { y[i] = v; });
  }
}

/// dst[i] = F(a[i * step[0]], b[i * step[1]])
template <class In, class Out, auto F>
[[gnu::flatten]] void binary_tile(
    void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const rt::Attr*) {
  const In* a = static_cast<const In*>(src[0]);
  const In* b = static_cast<const In*>(src[1]);
  Out* y = static_cast<Out*>(dst);
  const std::int64_t sa = step[0], sb = step[1];
  if constexpr (kReference) {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = F(a[i * sa], b[i * sb]);
  } else if (sa && sb) {
    for_each(n, [=](std::int64_t i) { y[i] = F(a[i], b[i]); });
  } else if (sa) {
    const In v = b[0];
    for_each(n, [=](std::int64_t i) { y[i] = F(a[i], v); });
  } else if (sb) {
    const In v = a[0];
    for_each(n, [=](std::int64_t i) { y[i] = F(v, b[i]); });
  } else {
    const Out v = F(a[0], b[0]);
    for_each(n, [=](std::int64_t i) { y[i] = v; });
  }
}

/// dst[i] = F(a[i * step[0]], b[i * step[1]], c[i * step[2]])
template <class A, class In, class Out, auto F>
[[gnu::flatten]] void ternary_tile(
    void* dst, const void* const* src, const std::uint8_t* step, std::int64_t n, const rt::Attr*) {
  const A* a = static_cast<const A*>(src[0]);
  const In* b = static_cast<const In*>(src[1]);
  const In* c = static_cast<const In*>(src[2]);
  Out* y = static_cast<Out*>(dst);
  const std::int64_t sa = step[0], sb = step[1], sc = step[2];
  if (kReference || !sa) {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = F(a[i * sa], b[i * sb], c[i * sc]);
  } else if (sb && sc) {
    for_each(n, [=](std::int64_t i) { y[i] = F(a[i], b[i], c[i]); });
  } else if (sb) {
    const In v = c[0];
    for_each(n, [=](std::int64_t i) { y[i] = F(a[i], b[i], v); });
  } else if (sc) {
    const In v = b[0];
    for_each(n, [=](std::int64_t i) { y[i] = F(a[i], v, c[i]); });
  } else {
    const In v = b[0], w = c[0];
    for_each(n, [=](std::int64_t i) { y[i] = F(a[i], v, w); });
  }
}

/// The same for functions that read attributes: Op::parameter<T>(attrs) is computed once,
/// Op::apply(a, p) for each.
template <class T, class Op>
[[gnu::flatten]] void unary_attr_tile(void* dst,
                                      const void* const* src,
                                      const std::uint8_t* step,
                                      std::int64_t n,
                                      const rt::Attr* attrs) {
  const T* a = static_cast<const T*>(src[0]);
  T* y = static_cast<T*>(dst);
  const std::int64_t sa = step[0];
  const auto p = Op::template parameter<T>(attrs);
  if (kReference || !sa) {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = Op::apply(a[i * sa], p);
  } else {
    for_each(n, [=](std::int64_t i) { y[i] = Op::apply(a[i], p); });
  }
}

template <class T, class Op>
[[gnu::flatten]] void binary_attr_tile(void* dst,
                                       const void* const* src,
                                       const std::uint8_t* step,
                                       std::int64_t n,
                                       const rt::Attr* attrs) {
  const T* a = static_cast<const T*>(src[0]);
  const T* b = static_cast<const T*>(src[1]);
  T* y = static_cast<T*>(dst);
  const std::int64_t sa = step[0], sb = step[1];
  const auto p = Op::template parameter<T>(attrs);
  if (kReference || !sa || !sb) {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = Op::apply(a[i * sa], b[i * sb], p);
  } else {
    for_each(n, [=](std::int64_t i) { y[i] = Op::apply(a[i], b[i], p); });
  }
}

}  // namespace weir::kernels::WEIR_ISA
