/// Pooling as loops over windows, channels innermost.
#include "kernels/scalar/pool.h"

#include "kernels/ref/wide.h"

namespace weir::kernels::ref {
namespace {

struct MaxPool {
  static constexpr const char* kOp = "MaxPool";
};
struct MaxPoolGrad {
  static constexpr const char* kOp = "MaxPoolGrad";
};
struct MaxPoolGradGrad {
  static constexpr const char* kOp = "MaxPoolGradGrad";
};
struct AvgPool {
  static constexpr const char* kOp = "AvgPool";
};
struct AvgPoolGrad {
  static constexpr const char* kOp = "AvgPoolGrad";
};

using Range = PoolRange;

/// body(output, rows, columns, n) for every window.
template <class Body>
void windows(const PoolShape& s, Body&& body) {
  for (std::int64_t n = 0; n < s.batch; ++n) {
    for (std::int64_t i = 0; i < s.y.out; ++i) {
      for (std::int64_t j = 0; j < s.x.out; ++j)
        body(s.output(n, i, j), pool_cells(s.y, i), pool_cells(s.x, j), n);
    }
  }
}

/// Position of the first maximum of a window for channel c; NaN counts as the largest. -1: the
/// window is all padding.
template <class T>
std::int64_t argmax(
    const PoolShape& s, const T* x, Range rows, Range columns, std::int64_t n, std::int64_t c) {
  std::int64_t best = -1;
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    for (std::int64_t j = columns.begin; j < columns.end; ++j) {
      const std::int64_t at = s.input(n, i, j) + c;
      const auto v = order(x[at]);
      if (best < 0 || v > order(x[best]) || (v != v && order(x[best]) == order(x[best]))) best = at;
    }
  }
  return best;
}

template <class T>
Status run(MaxPool, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.in[0], c.attrs, 0, true);
  const T* x = c.in[0].as<T>();
  T* y = c.out[0].as<T>();
  windows(s, [&](std::int64_t out, Range rows, Range columns, std::int64_t n) {
    for (std::int64_t ch = 0; ch < s.channels; ++ch) {
      const std::int64_t at = argmax(s, x, rows, columns, n, ch);
      y[out + ch] = at < 0 ? lowest<T>() : x[at];
    }
  });
  return {};
}

/// The windows are visited in order, so that overlapping ones add in order.
template <class T>
Status run(MaxPoolGrad, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.in[0], c.attrs, 0, true);
  const T *x = c.in[0].as<T>(), *dy = c.in[2].as<T>();
  T* dx = c.out[0].as<T>();
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    dx[i] = T{};
  windows(s, [&](std::int64_t out, Range rows, Range columns, std::int64_t n) {
    for (std::int64_t ch = 0; ch < s.channels; ++ch) {
      const std::int64_t at = argmax(s, x, rows, columns, n, ch);
      if (at >= 0) dx[at] = wrap<T>(compute(dx[at]) + compute(dy[out + ch]));
    }
  });
  return {};
}

template <class T>
Status run(MaxPoolGradGrad, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.in[0], c.attrs, 0, false);
  const T *x = c.in[0].as<T>(), *g = c.in[2].as<T>();
  T* y = c.out[0].as<T>();
  windows(s, [&](std::int64_t out, Range rows, Range columns, std::int64_t n) {
    for (std::int64_t ch = 0; ch < s.channels; ++ch) {
      const std::int64_t at = argmax(s, x, rows, columns, n, ch);
      y[out + ch] = at < 0 ? T{} : g[at];
    }
  });
  return {};
}

double count(Range rows, Range columns) {
  const std::int64_t n = (rows.end - rows.begin) * (columns.end - columns.begin);
  return n > 0 ? double(n) : 1;
}

template <class T>
Status run(AvgPool, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.in[0], c.attrs, 0, false);
  const T* x = c.in[0].as<T>();
  windows(s, [&](std::int64_t out, Range rows, Range columns, std::int64_t n) {
    for (std::int64_t ch = 0; ch < s.channels; ++ch) {
      double sum = 0;
      for (std::int64_t i = rows.begin; i < rows.end; ++i) {
        for (std::int64_t j = columns.begin; j < columns.end; ++j)
          sum += widen(x[s.input(n, i, j) + ch]);
      }
      c.out[0].as<T>()[out + ch] = narrow<T>(sum / count(rows, columns));
    }
  });
  return {};
}

rt::Needs need_sums(const rt::KernelCall& c) {
  return {.workspace = c.out[0].size() * std::int64_t(sizeof(double))};
}

template <class T>
Status run(AvgPoolGrad, const rt::KernelCall& c) {
  const PoolShape s = pool_shape(c.out[0], c.attrs, 1, false);
  const T* dy = c.in[0].as<T>();
  auto* sums = static_cast<double*>(c.workspace);
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    sums[i] = 0;
  windows(s, [&](std::int64_t out, Range rows, Range columns, std::int64_t n) {
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      for (std::int64_t j = columns.begin; j < columns.end; ++j) {
        for (std::int64_t ch = 0; ch < s.channels; ++ch)
          sums[s.input(n, i, j) + ch] += widen(dy[out + ch]) / count(rows, columns);
      }
    }
  });
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    c.out[0].as<T>()[i] = narrow<T>(sums[i]);
  return {};
}

template <class Op, class T>
Status run_pool(const rt::KernelCall& c) {
  return run<T>(Op{}, c);
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .need = std::is_same_v<Op, AvgPoolGrad> ? need_sums : nullptr,
                     .run = run_pool<Op, Ts>}...};
}

}  // namespace

rt::KernelTable pool_kernels() {
  static const auto table = concatenate(kernels<MaxPool>(Real{}),
                                        kernels<MaxPoolGrad>(Real{}),
                                        kernels<MaxPoolGradGrad>(Real{}),
                                        kernels<AvgPool>(Floating{}),
                                        kernels<AvgPoolGrad>(Floating{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
