#pragma once

/// The ops that are movements. Mover::run(call, movement) copies, Mover::by_rows(call, rows, bytes
/// of a row, body) cuts rows into ranges; attributes are those of the definitions in src/ops/array.

#include "base/strided_slice.h"
#include "kernels/scalar/any_kernel.h"
#include "kernels/scalar/movement.h"

namespace weir::kernels::WEIR_ISA {

inline std::int64_t positive(std::int64_t axis, int rank) {
  return axis < 0 ? axis + rank : axis;
}
inline int axis_of(const rt::Attr& a, int rank) {
  return int(positive(a.kind == rt::Attr::Kind::ints ? a.ints[0] : a.i, rank));
}
inline std::int64_t product(const std::int64_t* dims, int begin, int end) {
  std::int64_t n = 1;
  for (int i = begin; i < end; ++i)
    n *= dims[i];
  return n;
}

template <class Mover>
struct MoveOps {
  using Call = rt::KernelCall;

  static Status transpose(const Call& c) {
    const rt::View &x = c.in[0], &y = c.out[0];
    const Steps from(x), to(y);
    Movement m(x.data, y.data, x.dtype);
    for (int i = 0; i < y.rank; ++i) {
      const bool given = c.attrs[0].kind == rt::Attr::Kind::ints;
      const auto source = int(given ? positive(c.attrs[0].ints[i], y.rank) : y.rank - 1 - i);
      m.axis(y.dims[i], from[source], to[i]);
    }
    Mover::run(c, m);
    return {};
  }

  static Status broadcast_to(const Call& c) {
    const rt::View &x = c.in[0], &y = c.out[0];
    const Steps from(x), to(y);
    Movement m(x.data, y.data, x.dtype);
    for (int i = 0; i < y.rank; ++i) {
      const int own = i - (y.rank - x.rank);
      m.axis(y.dims[i], own < 0 || x.dims[own] == 1 ? 0 : from[own], to[i]);
    }
    Mover::run(c, m);
    return {};
  }

  static Status tile(const Call& c) {
    const rt::View &x = c.in[0], &y = c.out[0];
    const Steps from(x), to(y);
    Movement m(x.data, y.data, x.dtype);
    for (int i = 0; i < y.rank; ++i) {
      m.axis(c.attrs[0].ints[i], 0, to[i] * x.dims[i]);
      m.axis(x.dims[i], from[i], to[i]);
    }
    Mover::run(c, m);
    return {};
  }

  static Status slice(const Call& c) {
    const rt::View &x = c.in[0], &y = c.out[0];
    const Steps from(x), to(y);
    Movement m(x.data, y.data, x.dtype);
    for (int i = 0; i < y.rank; ++i) {
      m.offset(c.attrs[0].ints[i] * from[i], 0);
      m.axis(y.dims[i], from[i], to[i]);
    }
    Mover::run(c, m);
    return {};
  }

  static base::StridedSlice spec(const Call& c, int lists, int masks) {
    base::StridedSlice s{c.attrs[lists].ints,
                         c.attrs[lists + 1].ints,
                         c.attrs[lists + 2].ints,
                         int(c.attrs[lists].count)};
    s.begin_mask = c.attrs[masks].i;
    s.end_mask = c.attrs[masks + 1].i;
    s.ellipsis_mask = c.attrs[masks + 2].i;
    s.new_axis_mask = c.attrs[masks + 3].i;
    s.shrink_axis_mask = c.attrs[masks + 4].i;
    return s;
  }

  /// Calls visit(axis of `whole`, elements taken of it).
  template <class Visit>
  static void ranges(const base::StridedSlice& s, const rt::View& whole, Visit&& visit) {
    (void)base::walk(s, whole.rank, [&](base::SliceItem item, int axis, int i) {
      if (item == base::SliceItem::new_axis) return;
      base::SliceRange r{0, whole.dims[axis], 1};
      if (item == base::SliceItem::range) (void)base::resolve_range(s, i, whole.dims[axis], &r);
      if (item == base::SliceItem::index) (void)base::resolve_index(s, i, whole.dims[axis], &r);
      visit(axis, r);
    });
  }

  static Status strided_slice(const Call& c) {
    const rt::View &x = c.in[0], &y = c.out[0];
    if (y.size() == 0) return {};
    const Steps from(x);
    Movement m(x.data, y.data, x.dtype);
    std::int64_t left = y.size();
    ranges(spec(c, 0, 3), x, [&](int axis, base::SliceRange r) {
      left /= r.count;
      m.offset(r.start * from[axis], 0);
      m.axis(r.count, r.count == 1 ? 0 : r.step * from[axis], left);
    });
    Mover::run(c, m);
    return {};
  }

  static void put_slice(const Call& c,
                        const base::StridedSlice& s,
                        const rt::View& part,
                        const rt::View& y) {
    if (part.size() == 0) return;
    const Steps to(y);
    Movement m(part.data, y.data, y.dtype);
    std::int64_t left = part.size();
    ranges(s, y, [&](int axis, base::SliceRange r) {
      left /= r.count;
      m.offset(0, r.start * to[axis]);
      m.axis(r.count, left, r.count == 1 ? 0 : r.step * to[axis]);
    });
    Mover::run(c, m);
  }

  static Status strided_slice_grad(const Call& c) {
    fill_zero(c.out[0]);
    put_slice(c, spec(c, 1, 4), c.in[0], c.out[0]);
    return {};
  }

  static Status strided_slice_update(const Call& c) {
    if (c.out[0].data != c.in[0].data) copy_bytes(c.out[0].data, c.in[0].data, c.out[0].bytes());
    put_slice(c, spec(c, 0, 3), c.in[1], c.out[0]);
    return {};
  }

  static Status reverse(const Call& c) {
    const rt::View &x = c.in[0], &y = c.out[0];
    bool turned[256] = {};
    for (std::uint32_t i = 0; i < c.attrs[0].count; ++i)
      turned[positive(c.attrs[0].ints[i], x.rank)] = true;
    const Steps step(x);
    Movement m(x.data, y.data, x.dtype);
    for (int i = 0; i < x.rank; ++i) {
      if (turned[i] && x.dims[i] > 0) m.offset((x.dims[i] - 1) * step[i], 0);
      m.axis(x.dims[i], turned[i] ? -step[i] : step[i], step[i]);
    }
    Mover::run(c, m);
    return {};
  }

  /// Copies an operand to, or a result from, its place along an axis of length `whole` of the
  /// joined array.
  struct Place {
    std::int64_t outer, whole, inner;
    std::int64_t at = 0;     // along the axis
    std::int64_t first = 0;  // of the outer rows
  };
  static void join(const Call& c,
                   const rt::View& part,
                   std::int64_t length,
                   const rt::View& all,
                   Place& p,
                   bool into) {
    const std::int64_t block = length * p.inner, row = p.whole * p.inner;
    const std::int64_t at_part = p.first * block, at_all = p.first * row + p.at * p.inner;
    Movement m(into ? part.data : all.data, into ? all.data : part.data, part.dtype);
    into ? m.offset(at_part, at_all) : m.offset(at_all, at_part);
    m.axis(p.outer, into ? block : row, into ? row : block);
    m.axis(block, 1, 1);
    Mover::run(c, m);
    p.at += length;
  }

  /// Operands side by side along `axis`, length(i) of number i. The mover says how many rows of the
  /// result are made at a time.
  template <class Length>
  static Status join_all(const Call& c, int axis, Length&& length) {
    const rt::View& y = c.out[0];
    const Place all{product(y.dims, 0, axis), y.dims[axis], product(y.dims, axis + 1, y.rank)};
    const std::int64_t row_bytes = all.whole * all.inner * byte_size(y.dtype);
    Mover::by_rows(c, all.outer, row_bytes, [&](std::int64_t begin, std::int64_t end) {
      Place p = all;
      p.first = begin;
      p.outer = end - begin;
      for (int i = 0; i < c.n_in; ++i)
        join(c, c.in[i], length(i), y, p, true);
    });
    return {};
  }

  static Status concat(const Call& c) {
    const int axis = axis_of(c.attrs[0], c.out[0].rank);
    return join_all(c, axis, [&](int i) { return c.in[i].dims[axis]; });
  }

  static Status stack(const Call& c) {
    return join_all(c, axis_of(c.attrs[0], c.out[0].rank), [](int) { return 1; });
  }

  static Status unpack(const Call& c) {
    const rt::View& x = c.in[0];
    const int axis = axis_of(c.attrs[1], x.rank);
    Place p{product(x.dims, 0, axis), x.dims[axis], product(x.dims, axis + 1, x.rank)};
    for (int i = 0; i < c.n_out; ++i)
      join(c, c.out[i], 1, x, p, false);
    return {};
  }

  /// Split and SplitV: the axis is attribute 1.
  static Status split(const Call& c) {
    const rt::View& x = c.in[0];
    const int axis = axis_of(c.attrs[1], x.rank);
    Place p{product(x.dims, 0, axis), x.dims[axis], product(x.dims, axis + 1, x.rank)};
    for (int i = 0; i < c.n_out; ++i)
      join(c, c.out[i], c.out[i].dims[axis], x, p, false);
    return {};
  }

  /// Pad, and PadV2 with the value in operand 1.
  static Status pad(const Call& c) {
    const rt::View &x = c.in[0], &y = c.out[0];
    if (c.n_in > 1) {
      fill_elements(y.data, c.in[1].data, y.size(), byte_size(y.dtype));
    } else {
      fill_zero(y);
    }
    const Steps from(x), to(y);
    Movement m(x.data, y.data, x.dtype);
    for (int i = 0; i < x.rank; ++i) {
      m.offset(0, c.attrs[0].ints[2 * i] * to[i]);
      m.axis(x.dims[i], from[i], to[i]);
    }
    Mover::run(c, m);
    return {};
  }

  static Status copy(const Call& c) {
    copy_bytes(c.out[0].data, c.in[0].data, c.out[0].bytes());
    return {};
  }
};

template <class Mover>
constexpr auto move_kernels() {
  using Ops = MoveOps<Mover>;
  return std::array{
      any_kernel<"Transpose">(Ops::transpose),
      any_kernel<"BroadcastTo">(Ops::broadcast_to),
      any_kernel<"Tile">(Ops::tile),
      any_kernel<"Slice">(Ops::slice),
      any_kernel<"StridedSlice">(Ops::strided_slice),
      any_kernel<"StridedSliceGrad">(Ops::strided_slice_grad),
      any_kernel<"TensorStridedSliceUpdate">(Ops::strided_slice_update),
      any_kernel<"ReverseV2">(Ops::reverse),
      any_kernel<"ConcatV2">(Ops::concat),
      any_kernel<"Pack">(Ops::stack),
      any_kernel<"Unpack">(Ops::unpack),
      any_kernel<"Split">(Ops::split),
      any_kernel<"SplitV">(Ops::split),
      any_kernel<"Pad">(Ops::pad),
      any_kernel<"PadV2">(Ops::pad),
  };
}

}  // namespace weir::kernels::WEIR_ISA
