#pragma once

/// How a reduction walks its input: neighbouring axes that are both kept or both reduced are one.

#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {

/// A set of merged axes, the innermost first; strides in elements of the input.
struct Walk {
  static constexpr int kMaxAxes = 8;
  int axes = 0;
  std::int64_t extent[kMaxAxes];
  std::int64_t stride[kMaxAxes];

  std::int64_t size() const {
    std::int64_t n = 1;
    for (int i = 0; i < axes; ++i)
      n *= extent[i];
    return n;
  }
  /// Offset of element `index` in row-major order.
  std::int64_t offset(std::int64_t index) const {
    if (axes <= 1) return axes == 0 ? 0 : index * stride[0];
    std::int64_t at = 0;
    for (int i = 0; i < axes; ++i) {
      at += index % extent[i] * stride[i];
      index /= extent[i];
    }
    return at;
  }
};

struct Reduction {
  Walk kept, reduced;
};

/// Attribute 0 lists the axes; absent: all. False: too many separate groups of axes.
inline bool plan_reduction(const rt::KernelCall& c, Reduction& r) {
  const rt::View& x = c.in[0];
  const rt::Attr& axes = c.attrs[0];
  bool is_reduced[256];
  for (int i = 0; i < x.rank; ++i)
    is_reduced[i] = !axes.has_value();
  for (std::uint32_t i = 0; axes.has_value() && i < axes.count; ++i)
    is_reduced[axes.ints[i] < 0 ? axes.ints[i] + x.rank : axes.ints[i]] = true;
  std::int64_t stride = 1;
  const Walk* last = nullptr;
  for (int i = x.rank - 1; i >= 0; --i) {
    if (x.dims[i] == 1) continue;
    Walk& w = is_reduced[i] ? r.reduced : r.kept;
    if (last == &w) {
      w.extent[w.axes - 1] *= x.dims[i];
    } else {
      if (w.axes == Walk::kMaxAxes) return false;
      w.extent[w.axes] = x.dims[i];
      w.stride[w.axes++] = stride;
    }
    last = &w;
    stride *= x.dims[i];
  }
  return true;
}

/// Calls body(offset, n, stride) for the runs of a walk, in row-major order: elements offset + i *
/// stride, i < n.
template <class Body>
void for_each_run(const Walk& w, Body&& body) {
  const std::int64_t n = w.axes > 0 ? w.extent[0] : 1, stride = w.axes > 0 ? w.stride[0] : 1;
  const std::int64_t total = w.size(), runs = n > 0 ? total / n : 0;
  for (std::int64_t run = 0; run < runs; ++run)
    body(w.offset(run * n), n, stride);
}

/// One axis, attribute 0, with what is outside and inside of it.
struct Line {
  std::int64_t outer = 1, n = 1, inner = 1;
};
inline Line line_of(const rt::KernelCall& c) {
  const rt::View& x = c.in[0];
  const std::int64_t given = c.attrs[0].ints[0], axis = given < 0 ? given + x.rank : given;
  Line l;
  for (int i = 0; i < x.rank; ++i)
    (i < axis ? l.outer : i == axis ? l.n : l.inner) *= x.dims[i];
  return l;
}

}  // namespace weir::kernels::WEIR_ISA
