/// Running sums and products of floats along an axis, in the order of the elements; float32 in
/// float64. Bits are those of the reference: what runs side by side are independent lines.
#include <array>

#include "kernels/scalar/reduction.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {
namespace {

constexpr std::int64_t kGrain = 16384;  // elements of a slice
constexpr int kRows = 4;                // lines that hide each other's latency
constexpr std::int64_t kColumns = 64;   // neighbouring lines, in vectors

struct Cumsum {
  static constexpr const char* kOp = "Cumsum";
  static constexpr double kFirst = 0;
  static double combine(double a, double b) { return a + b; }
};
struct Cumprod {
  static constexpr const char* kOp = "Cumprod";
  static constexpr double kFirst = 1;
  static double combine(double a, double b) { return a * b; }
};

/// R lines of n contiguous elements, one after the other in memory.
template <class Op, bool Exclusive, int R, class T>
void scan_rows(const T* x, T* y, std::int64_t n, bool reverse) {
  double total[R];
  for (double& t : total)
    t = Op::kFirst;
  const std::int64_t step = reverse ? -1 : 1;
  std::int64_t at = reverse ? n - 1 : 0;
  for (std::int64_t i = 0; i < n; ++i, at += step) {
    for (int r = 0; r < R; ++r) {
      const double next = Op::combine(total[r], double(x[r * n + at]));
      y[r * n + at] = T(Exclusive ? total[r] : next);
      total[r] = next;
    }
  }
}

/// `columns` neighbouring lines of n elements `pitch` apart.
template <class Op, bool Exclusive, class T>
void scan_columns(
    const T* x, T* y, std::int64_t n, std::int64_t pitch, std::int64_t columns, bool reverse) {
  double total[kColumns];
  for (double& t : total)
    t = Op::kFirst;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t row = (reverse ? n - 1 - i : i) * pitch;
    const T* from = x + row;
    T* to = y + row;
    for_each(columns, [&](std::int64_t j) {
      const double next = Op::combine(total[j], double(from[j]));
      to[j] = T(Exclusive ? total[j] : next);
      total[j] = next;
    });
  }
}

template <class Op, bool Exclusive, class T>
void run_lines(const rt::KernelCall& c, const Line& l, bool reverse) {
  const T* x = c.in[0].as<T>();
  T* y = c.out[0].as<T>();
  if (l.inner == 1) {
    const std::int64_t grain = (kGrain / l.n / kRows + 1) * kRows;
    rt::parallel_ranges(c, l.outer, grain, [&](std::int64_t o, std::int64_t end) {
      for (; o + kRows <= end; o += kRows)
        scan_rows<Op, Exclusive, kRows>(x + o * l.n, y + o * l.n, l.n, reverse);
      for (; o < end; ++o)
        scan_rows<Op, Exclusive, 1>(x + o * l.n, y + o * l.n, l.n, reverse);
    });
    return;
  }
  const std::int64_t blocks = (l.inner + kColumns - 1) / kColumns;
  const std::int64_t width = l.inner < kColumns ? l.inner : kColumns;
  rt::parallel_ranges(
      c, l.outer * blocks, kGrain / (l.n * width) + 1, [&](std::int64_t unit, std::int64_t end) {
        for (; unit < end; ++unit) {
          const std::int64_t first = unit % blocks * kColumns, left = l.inner - first;
          const std::int64_t at = unit / blocks * l.n * l.inner + first;
          scan_columns<Op, Exclusive>(
              x + at, y + at, l.n, l.inner, left < kColumns ? left : kColumns, reverse);
        }
      });
}

/// Attributes: axis, exclusive, reverse.
template <class Op, class T>
Status run(const rt::KernelCall& c) {
  if (c.out[0].size() == 0) return {};
  const Line l = line_of(c);
  if (c.attrs[1].b)
    run_lines<Op, true, T>(c, l, c.attrs[2].b);
  else
    run_lines<Op, false, T>(c, l, c.attrs[2].b);
  return {};
}

template <class Op, class T>
constexpr rt::Kernel kernel() {
  return {.op = Op::kOp,
          .name = kKernelName<Op, T>.text,
          .types = {dtype_of<T>},
          .isa = kIsa,
          .run = run<Op, T>};
}

}  // namespace

rt::KernelTable scan_kernels() {
  static constexpr std::array<rt::Kernel, 4> table = {kernel<Cumsum, float>(),
                                                      kernel<Cumsum, double>(),
                                                      kernel<Cumprod, float>(),
                                                      kernel<Cumprod, double>()};
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
