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
template <class V>
V larger(V best, V v) {
  const V most = v > best ? v : best;  // best if either is a NaN
  return v != v ? v : most;
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

/// A few vectors, or a scalar, of neighbouring channels.
template <class V, int N>
struct Channels {
  V v[N];
};

/// The largest elements of a window for the channels at `x`, element (0, 0) of the image. Inline,
/// for they would be returned through memory.
template <class V, int N, class T>
[[gnu::always_inline]] inline Channels<V, N> largest(const Window& w, const T* x) {
  constexpr int kStep = sizeof(V) / sizeof(T);
  Channels<V, N> best;
  const T* first = x + w.rows.begin * w.row_step + w.columns.begin * w.cell_step;
  for (int k = 0; k < N; ++k)
    best.v[k] = read<V>(first + k * kStep);
  w.each([&](std::int64_t at) {
    for (int k = 0; k < N; ++k)
      best.v[k] = larger<V>(best.v[k], read<V>(x + at + k * kStep));
  });
  return best;
}

/// Calls body(channels, channel) for all channels: most in groups of kGroup vectors.
constexpr int kGroup = 4;
template <class T, class Body>
void each_channel(std::int64_t channels, Body&& body) {
  constexpr std::int64_t kWide = kGroup * kLanes<T>;
  std::int64_t c = 0;
  for (; c + kWide <= channels; c += kWide)
    body(Channels<Vec<T>, kGroup>{}, c);
  for (; c + kLanes<T> <= channels; c += kLanes<T>)
    body(Channels<Vec<T>, 1>{}, c);
  for (; c < channels; ++c)
    body(Channels<T, 1>{}, c);
}

template <class V, int N, class T>
void pool_channels(const Channels<V, N>&, const Window& w, const T* x, T* y) {
  const Channels<V, N> best = largest<V, N>(w, x);
  for (int k = 0; k < N; ++k)
    write(y + k * int(sizeof(V) / sizeof(T)), best.v[k]);
}

template <class T>
void pool_row(const PoolShape& s, const T* image, std::int64_t i, T* y) {
  for (std::int64_t j = 0; j < s.x.out; ++j, y += s.channels) {
    const Window w = window_of(s, i, j);
    if (w.empty()) {
      for (std::int64_t c = 0; c < s.channels; ++c)
        y[c] = -std::numeric_limits<T>::infinity();
      continue;
    }
    each_channel<T>(s.channels,
                    [&](auto kind, std::int64_t c) { pool_channels(kind, w, image + c, y + c); });
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

/// Adds `dy` to the first cell that holds the largest element, lane by lane. `alone`: no other
/// window has the cells, so that they are written for the first time.
template <bool alone, class V, int N, class T>
void add_to_largest(const Channels<V, N>&, const Window& w, const T* x, const T* dy, T* dx) {
  constexpr int kStep = sizeof(V) / sizeof(T);
  const Channels<V, N> best = largest<V, N>(w, x);
  decltype(best.v[0] == best.v[0]) open[N];  // lanes that have not found their cell
  for (int k = 0; k < N; ++k)
    open[k] = best.v[k] == best.v[k] || best.v[k] != best.v[k];
  w.each([&](std::int64_t at) {
    for (int k = 0; k < N; ++k) {
      const V v = read<V>(x + at + k * kStep), b = best.v[k], d = read<V>(dy + k * kStep);
      const auto here = open[k] & ((v == b) | ((v != v) & (b != b)));
      T* to = dx + at + k * kStep;
      const V old = alone ? V{} : read<V>(to);
      write(to, here ? old + d : old);
      open[k] = open[k] & !here;
    }
  });
}

/// No cell has two windows, and none has none.
bool is_partition(const ConvAxis& a) {
  return a.stride == a.filter && a.cell(a.out, 0) >= a.in && a.before == 0;
}

/// The windows of an image are visited in order, so that overlapping ones add in order. Calls
/// done(begin, end) for lines of the image that are complete.
template <bool alone, class T, class Done>
void pool_gradient(const PoolShape& s, const T* x, const T* dy, T* dx, Done&& done) {
  for (std::int64_t i = 0; i < s.y.out; ++i) {
    for (std::int64_t j = 0; j < s.x.out; ++j, dy += s.channels) {
      const Window w = window_of(s, i, j);
      if (w.empty()) continue;
      each_channel<T>(s.channels, [&](auto kind, std::int64_t c) {
        add_to_largest<alone>(kind, w, x + c, dy + c, dx + c);
      });
    }
    const std::int64_t next = (i + 1) * s.y.stride;
    if (alone) done(i * s.y.stride, next < s.y.in ? next : s.y.in);
  }
  if (!alone) done(0, s.y.in);
}

template <class T>
Status run(MaxPoolGrad, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.in[0], c.attrs, 0, true);
  const std::int64_t in = s.y.in * s.x.in * s.channels, out = s.y.out * s.x.out * s.channels;
  const bool alone = is_partition(s.y) && is_partition(s.x);
  if (c.out[0].size() == 0) return {};
  rt::parallel_ranges(c, s.batch, kGrain / in + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      T* dx = c.out[0].as<T>() + n * in;
      const T *x = c.in[0].as<T>() + n * in, *dy = c.in[2].as<T>() + n * out;
      const auto done = [&](std::int64_t begin, std::int64_t end) {
        if (!c.epilogue) return;
        const std::int64_t row = begin * s.x.in, rows = (end - begin) * s.x.in, ch = s.channels;
        c.epilogue->run(c.epilogue->arg, dx + row * ch, n * s.y.in * s.x.in + row, rows, 0, ch, ch);
      };
      if (alone) {
        pool_gradient<true>(s, x, dy, dx, done);
      } else {
        for (std::int64_t i = 0; i < in; ++i)
          dx[i] = T{};
        pool_gradient<false>(s, x, dy, dx, done);
      }
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
          .run = run_pool<Op, T>,
          .epilogue = std::is_same_v<Op, MaxPoolGrad>};
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
