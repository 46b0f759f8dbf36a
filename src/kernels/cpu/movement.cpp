// Movements between layouts, in parallel: rows by memcpy, exchanged axes in blocks of vectors.

#include "kernels/cpu/transpose_tile.h"
#include "kernels/scalar/move_ops.h"

namespace weir::kernels::WEIR_ISA {
namespace {

/// Bytes that a slice of the work moves.
constexpr std::int64_t kGrainBytes = 128 << 10;

std::int64_t at_least_one(std::int64_t n) {
  return n > 0 ? n : 1;
}

/// A movement without one or two of its axes, walked in order: its outer loops.
struct Outer {
  int axes = 0;
  std::int64_t count = 1;
  std::int64_t extent[Movement::kMaxAxes], in_step[Movement::kMaxAxes],
      out_step[Movement::kMaxAxes];

  void add(const Movement& m, int axis) {
    extent[axes] = m.extent[axis];
    in_step[axes] = m.in_step[axis] * m.element;
    out_step[axes] = m.out_step[axis] * m.element;
    count *= m.extent[axis];
    ++axes;
  }
  /// Calls body(in, out) for the positions [begin, end).
  template <class Body>
  void walk(const Movement& m, std::int64_t begin, std::int64_t end, Body&& body) const {
    std::int64_t index[Movement::kMaxAxes];
    const char* in = m.in;
    char* out = m.out;
    std::int64_t rest = begin;
    for (int a = axes - 1; a >= 0; --a) {
      index[a] = rest % extent[a];
      rest /= extent[a];
      in += index[a] * in_step[a];
      out += index[a] * out_step[a];
    }
    for (std::int64_t i = begin; i < end; ++i) {
      body(in, out);
      for (int a = axes - 1; a >= 0; --a) {
        in += in_step[a];
        out += out_step[a];
        if (++index[a] < extent[a]) break;
        in -= in_step[a] * extent[a];
        out -= out_step[a] * extent[a];
        index[a] = 0;
      }
    }
  }
};

/// Few long rows are cut, many short ones are taken together.
void move_rows(const rt::KernelCall& c, const Movement& m) {
  const int inner = m.axes - 1;
  const std::int64_t n = m.extent[inner], from = m.in_step[inner], to = m.out_step[inner];
  Outer outer;
  for (int a = 0; a < inner; ++a)
    outer.add(m, a);
  const std::int64_t part = at_least_one(kGrainBytes / m.element);
  if (outer.count == 1) {
    rt::parallel_ranges(c, n, part, [&](std::int64_t begin, std::int64_t end) {
      move_row(m,
               m.in + begin * from * m.element,
               m.out + begin * to * m.element,
               end - begin,
               from,
               to);
    });
    return;
  }
  rt::parallel_ranges(
      c, outer.count, at_least_one(part / n), [&](std::int64_t begin, std::int64_t end) {
        outer.walk(
            m, begin, end, [&](const char* in, char* out) { move_row(m, in, out, n, from, to); });
      });
}

/// The axis along which the operand is contiguous while the innermost of the result is another; -1:
/// none.
int exchanged_axis(const Movement& m) {
  const int inner = m.axes - 1;
  if (m.out_step[inner] != 1 || m.in_step[inner] == 1 || m.element > 8) return -1;
  for (int a = 0; a < inner; ++a) {
    if (m.in_step[a] == 1 && m.extent[a] >= 4) return a;
  }
  return -1;
}

template <class T>
void move_exchanged(const rt::KernelCall& c, const Movement& m, int axis) {
  constexpr std::int64_t kRows = 32;  // rows of the result in a unit of work
  const int inner = m.axes - 1;
  const std::int64_t rows = m.extent[axis], columns = m.extent[inner];
  const std::int64_t in_pitch = m.in_step[inner], out_pitch = m.out_step[axis];
  Outer outer;
  for (int a = 0; a < inner; ++a) {
    if (a != axis) outer.add(m, a);
  }
  const std::int64_t blocks = (rows + kRows - 1) / kRows;
  const std::int64_t unit =
      at_least_one(kGrainBytes / (m.element * columns * (rows < kRows ? rows : kRows)));
  rt::parallel_ranges(c, outer.count * blocks, unit, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % blocks * kRows,
                         count = rows - first < kRows ? rows - first : kRows;
      outer.walk(m, i / blocks, i / blocks + 1, [&](const char* in, char* out) {
        transpose_block(reinterpret_cast<const T*>(in) + first,
                        in_pitch,
                        reinterpret_cast<T*>(out) + first * out_pitch,
                        out_pitch,
                        count,
                        columns);
      });
    }
  });
}

struct FastMover {
  static void run(const rt::KernelCall& c, const Movement& m) {
    if (m.empty) return;
    if (m.axes == 0) return copy_bytes(m.out, m.in, m.element);
    const int axis = exchanged_axis(m);
    if (axis < 0) return move_rows(c, m);
    switch (m.element) {
      case 1:
        return move_exchanged<std::uint8_t>(c, m, axis);
      case 2:
        return move_exchanged<std::uint16_t>(c, m, axis);
      case 4:
        return move_exchanged<std::uint32_t>(c, m, axis);
      default:
        return move_exchanged<std::uint64_t>(c, m, axis);
    }
  }

  /// Ranges that stay in the cache: an operand that stands in a row twice is read once.
  template <class Body>
  static void by_rows(const rt::KernelCall& c,
                      std::int64_t rows,
                      std::int64_t row_bytes,
                      Body&& body) {
    if (row_bytes >= kGrainBytes) return body(0, rows);  // whose parts are cut by `run`
    rt::parallel_ranges(c, rows, kGrainBytes / at_least_one(row_bytes), body);
  }
};

}  // namespace

rt::KernelTable movement_kernels() {
  static const auto table = move_kernels<FastMover>();
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
