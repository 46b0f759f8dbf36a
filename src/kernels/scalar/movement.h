#pragma once

/// Copies between strided layouts, for elements of any dtype: the one thing that transposing,
/// slicing, joining, tiling, padding and reversing do.

#include <cstring>

#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {

/// An element of N bytes. It has no alignment and may stand for any dtype.
template <int N>
struct Bytes {
  char b[N];
};

/// Calls fn(Bytes<N>{}) for the size of an element.
template <class Fn>
void with_element(std::int64_t bytes, Fn&& fn) {
  switch (bytes) {
    case 1:
      return fn(Bytes<1>{});
    case 2:
      return fn(Bytes<2>{});
    case 4:
      return fn(Bytes<4>{});
    case 8:
      return fn(Bytes<8>{});
    default:
      return fn(Bytes<16>{});
  }
}

/// memcpy that accepts null for no bytes.
inline void copy_bytes(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, std::size_t(bytes));
}

/// Steps, in elements, of the axes of a dense array.
struct Steps {
  std::int64_t v[256];
  explicit Steps(const rt::View& a) {
    std::int64_t step = 1;
    for (int i = a.rank - 1; i >= 0; --i) {
      v[i] = step;
      step *= a.dims[i];
    }
  }
  std::int64_t operator[](int i) const { return v[i]; }
};

/// out[i * out_step] = in[i * in_step] for all i of a box. Axes are given from the outermost; those
/// that continue each other are merged. More than 63 axes longer than 1 would make more than 2^63
/// elements.
struct Movement {
  static constexpr int kMaxAxes = 64;
  const char* in = nullptr;
  char* out = nullptr;
  std::int64_t element = 1;  // bytes
  int axes = 0;
  bool empty = false;
  std::int64_t extent[kMaxAxes];
  std::int64_t in_step[kMaxAxes];
  std::int64_t out_step[kMaxAxes];

  Movement(const void* from, void* to, DType dtype)
      : in(static_cast<const char*>(from)),
        out(static_cast<char*>(to)),
        element(byte_size(dtype)) {}

  void offset(std::int64_t in_elements, std::int64_t out_elements) {
    // What has no elements may have no address.
    if (in != nullptr) in += in_elements * element;
    if (out != nullptr) out += out_elements * element;
  }
  void axis(std::int64_t n, std::int64_t from, std::int64_t to) {
    empty = empty || n == 0;
    if (n == 1 || empty) return;
    if (axes > 0 && in_step[axes - 1] == from * n && out_step[axes - 1] == to * n) {
      extent[axes - 1] *= n;
    } else {
      extent[axes++] = n;
    }
    in_step[axes - 1] = from;
    out_step[axes - 1] = to;
  }
};

inline void move_row(const Movement& m,
                     const char* in,
                     char* out,
                     std::int64_t n,
                     std::int64_t from,
                     std::int64_t to) {
  if (from == 1 && to == 1) return copy_bytes(out, in, n * m.element);
  with_element(m.element, [&]<int N>(Bytes<N>) {
    const auto* a = reinterpret_cast<const Bytes<N>*>(in);
    auto* y = reinterpret_cast<Bytes<N>*>(out);
    for (std::int64_t i = 0; i < n; ++i)
      y[i * to] = a[i * from];
  });
}

/// Row after row, in the order of the axes.
struct PlainMover {
  static void run(const rt::KernelCall&, const Movement& m) {
    if (m.empty) return;
    if (m.axes == 0) return copy_bytes(m.out, m.in, m.element);
    const int inner = m.axes - 1;
    std::int64_t index[Movement::kMaxAxes] = {};
    const char* in = m.in;
    char* out = m.out;
    for (;;) {
      move_row(m, in, out, m.extent[inner], m.in_step[inner], m.out_step[inner]);
      int a = inner - 1;
      for (; a >= 0; --a) {
        in += m.in_step[a] * m.element;
        out += m.out_step[a] * m.element;
        if (++index[a] < m.extent[a]) break;
        in -= m.in_step[a] * m.extent[a] * m.element;
        out -= m.out_step[a] * m.extent[a] * m.element;
        index[a] = 0;
      }
      if (a < 0) return;
    }
  }
  template <class Body>
  static void by_rows(const rt::KernelCall&, std::int64_t rows, std::int64_t, Body&& body) {
    body(0, rows);
  }
};

/// n times the element at `value`.
inline void fill_elements(void* out, const void* value, std::int64_t n, std::int64_t element) {
  with_element(element, [&]<int N>(Bytes<N>) {
    const auto v = *static_cast<const Bytes<N>*>(value);
    auto* y = static_cast<Bytes<N>*>(out);
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = v;
  });
}
inline void fill_zero(const rt::View& out) {
  if (out.bytes() > 0) std::memset(out.data, 0, std::size_t(out.bytes()));
}

}  // namespace weir::kernels::WEIR_ISA
