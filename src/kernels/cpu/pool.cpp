/// Max pooling of float32 and float64 in vectors of channels. The same values as the reference,
/// whichever cell of a window holds a NaN or a zero of either sign.
#include "kernels/scalar/pool.h"

#include <limits>

#include "kernels/cpu/vec.h"
#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {
namespace {

struct MaxPool {
  static constexpr const char* kOp = "MaxPool";
};
struct MaxPoolGrad {
  static constexpr const char* kOp = "MaxPoolGrad";
};

// Elements of a slice; small enough for the cache, large enough to be worth a thread.
constexpr std::int64_t kGrain = 16384;

/// The larger one, the first of equals; a NaN is larger than all else.
template <class T>
T larger(T best, T v) {
  return (v > best) | ((v != v) & (best == best)) ? v : best;
}
template <class T>
Vec<T> larger(Vec<T> best, Vec<T> v) {
  return (v > best) | ((v != v) & (best == best)) ? v : best;
}

/// Cells of a window, row by row; at least one.
struct Window {
  PoolRange rows, columns;
  std::int64_t row_step;  // elements from a row to the next
  std::int64_t cell_step;

  bool empty() const { return rows.begin >= rows.end || columns.begin >= columns.end; }
  template <class Body>
  void each(Body&& body) const {
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      for (std::int64_t j = columns.begin; j < columns.end; ++j)
        body(i * row_step + j * cell_step);
    }
  }
};

Window window_of(const PoolShape& s, std::int64_t i, std::int64_t j) {
  return {pool_cells(s.y, i), pool_cells(s.x, j), s.x.in * s.channels, s.channels};
}

template <class V, class T>
V read(const T* p) {
  if constexpr (sizeof(V) == sizeof(T))
    return *p;
  else
    return load(p);
}
template <class T>
void write(T* p, T v) {
  *p = v;
}
template <class T>
void write(T* p, Vec<T> v) {
  store(p, v);
}

/// The largest element of a window for the channels at `x`, element (0, 0) of the image.
template <class V, class T>
V largest(const Window& w, const T* x) {
  V best = read<V>(x + w.rows.begin * w.row_step + w.columns.begin * w.cell_step);
  w.each([&](std::int64_t at) { best = larger<T>(best, read<V>(x + at)); });
  return best;
}

/// Calls body(vector or scalar, channel) for all channels.
template <class T, class Body>
void each_channel(std::int64_t channels, Body&& body) {
  std::int64_t c = 0;
  for (; c + kLanes<T> <= channels; c += kLanes<T>)
    body(Vec<T>{}, c);
  for (; c < channels; ++c)
    body(T{}, c);
}

template <class T>
void pool_row(const PoolShape& s, const T* image, std::int64_t i, T* y) {
  for (std::int64_t j = 0; j < s.x.out; ++j, y += s.channels) {
    const Window w = window_of(s, i, j);
    each_channel<T>(s.channels, [&](auto kind, std::int64_t c) {
      using V = decltype(kind);
      write(y + c, w.empty() ? V{} - std::numeric_limits<T>::infinity() : largest<V>(w, image + c));
    });
  }
}

template <class T>
Status run(MaxPool, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.in[0], c.attrs, 0, true);
  const T* x = c.in[0].as<T>();
  T* y = c.out[0].as<T>();
  const std::int64_t row = s.x.out * s.channels, image = s.y.in * s.x.in * s.channels;
  if (c.out[0].size() == 0) return {};
  rt::parallel_ranges(
      c, s.batch * s.y.out, kGrain / row + 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
          pool_row(s, x + r / s.y.out * image, r % s.y.out, y + r * row);
      });
  return {};
}

/// Adds `dy` to the first cell that holds the largest element, lane by lane.
template <class V, class T>
void add_to_largest(const Window& w, const T* x, V dy, T* dx) {
  const V best = largest<V>(w, x);
  auto open = best == best || best != best;  // lanes that have not found their cell
  w.each([&](std::int64_t at) {
    const V v = read<V>(x + at);
    const auto here = open & ((v == best) | ((v != v) & (best != best)));
    const V old = read<V>(dx + at);
    write(dx + at, here ? old + dy : old);
    open = open & !here;
  });
}

/// The windows of an image are visited in order, so that overlapping ones add in order.
template <class T>
void pool_gradient(const PoolShape& s, const T* x, const T* dy, T* dx) {
  for (std::int64_t i = 0; i < s.y.out; ++i) {
    for (std::int64_t j = 0; j < s.x.out; ++j, dy += s.channels) {
      const Window w = window_of(s, i, j);
      if (w.empty()) continue;
      each_channel<T>(s.channels, [&](auto kind, std::int64_t c) {
        add_to_largest(w, x + c, read<decltype(kind)>(dy + c), dx + c);
      });
    }
  }
}

template <class T>
Status run(MaxPoolGrad, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.in[0], c.attrs, 0, true);
  const std::int64_t in = s.y.in * s.x.in * s.channels, out = s.y.out * s.x.out * s.channels;
  if (c.out[0].size() == 0) return {};
  rt::parallel_ranges(c, s.batch, kGrain / in + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      T* dx = c.out[0].as<T>() + n * in;
      for (std::int64_t i = 0; i < in; ++i)
        dx[i] = T{};
      pool_gradient(s, c.in[0].as<T>() + n * in, c.in[2].as<T>() + n * out, dx);
    }
  });
  return {};
}

template <class Op, class T>
Status run_pool(const rt::KernelCall& c) {
  return run<T>(Op{}, c);
}

template <class Op, class T>
constexpr rt::Kernel kernel() {
  return {.op = Op::kOp,
          .name = kKernelName<Op, T>.text,
          .types = {dtype_of<T>},
          .isa = kIsa,
          .run = run_pool<Op, T>};
}

constexpr rt::Kernel kTable[] = {kernel<MaxPool, float>(),
                                 kernel<MaxPool, double>(),
                                 kernel<MaxPoolGrad, float>(),
                                 kernel<MaxPoolGrad, double>()};

}  // namespace

rt::KernelTable pool_kernels() {
  return {kTable, sizeof kTable / sizeof *kTable};
}

}  // namespace weir::kernels::WEIR_ISA
