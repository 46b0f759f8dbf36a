#include <weir/nn.h>
#include <weir/ops/nn.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "leaf/onnx/windows.h"

namespace weir::onnx_io {
namespace {

Windows pool_windows(NodeContext& c) {
  const List sizes = c.ints("kernel_shape");
  if (sizes.empty() || static_cast<std::int64_t>(sizes.size()) != c.rank(0) - 2) {
    c.damaged("the attribute 'kernel_shape'");
  }
  return read_windows(c, sizes);
}

// The lowest value of a dtype: it never wins a maximum.
Tensor lowest(DType t) {
  if (is_floating(t)) return cast(Tensor(-std::numeric_limits<float>::infinity()), t);
  if (is_unsigned_integer(t)) return cast(Tensor(std::int64_t{0}), t);
  return cast(Tensor(std::int64_t(-1) << (bit_width(t) - 1)), t);
}

// Any pooling, one axis after another: the operands of each window's cells are combined.
Tensor pool_by_axis(const NodeContext& c,
                    Tensor x,
                    const Windows& w,
                    bool ceil_mode,
                    const Tensor& outside,
                    Tensor (*combine)(Operand, Operand)) {
  for (std::size_t i = 0; i < w.axes(); ++i) {
    check_taps(c, w.sizes[i]);
    const auto axis = static_cast<std::int64_t>(i) + 2;
    const std::int64_t n = known_dim(c, x, axis);
    const std::int64_t count = window_count(c, w, i, n, ceil_mode);
    const std::int64_t reach = (count - 1) * w.strides[i] + w.extent(i);
    List rows(2 * static_cast<std::size_t>(x.rank()), 0);
    rows[2 * static_cast<std::size_t>(axis)] = w.begin[i];
    rows[2 * static_cast<std::size_t>(axis) + 1] =
        std::max<std::int64_t>(reach - n - w.begin[i], 0);
    const Tensor padded = pad_v2(x, rows, outside);
    Tensor total;
    for (std::int64_t k = 0; k < w.sizes[i]; ++k) {
      const Tensor cell = take(padded, axis, k * w.dilations[i], w.strides[i], count);
      total = total.defined() ? combine(total, cell) : cell;
    }
    x = total;
  }
  return x;
}

bool is_plain_2d(const Windows& w, const Tensor& x, bool ceil_mode) {
  const bool undilated =
      std::all_of(w.dilations.begin(), w.dilations.end(), [](auto d) { return d == 1; });
  return w.axes() == 2 && undilated && !ceil_mode && is_floating(x.dtype());
}

bool is_unpadded(const Windows& w) {
  const auto zero = [](auto p) { return p == 0; };
  return std::all_of(w.begin.begin(), w.begin.end(), zero) &&
         std::all_of(w.end.begin(), w.end.end(), zero);
}

List with_ends(const List& two) {
  return {1, two[0], two[1], 1};
}

Tensor max_pool_2d(const Tensor& x, const Windows& w) {
  List rows;
  if (!is_unpadded(w)) rows = {0, 0, w.begin[0], w.end[0], w.begin[1], w.end[1], 0, 0};
  return to_channels_first(max_pool(to_channels_last(x),
                                    with_ends(w.sizes),
                                    with_ends(w.strides),
                                    rows.empty() ? "VALID" : "EXPLICIT",
                                    rows));
}

// For each output cell and cell of its window, the place in the input, row-major within a channel
// (column-major if asked); -1 outside. [windows, cells]
struct Places {
  List place;
  List counts;
  std::int64_t windows = 1, cells = 1;
};

Places window_places(const NodeContext& c,
                     const Windows& w,
                     const List& spatial,
                     bool ceil_mode,
                     bool column_major) {
  Places p;
  List step(w.axes(), 1);
  for (std::size_t i = 0; i < w.axes(); ++i) {
    p.counts.push_back(window_count(c, w, i, spatial[i], ceil_mode));
    p.windows = table_size({p.windows, p.counts[i]});
    p.cells = table_size({p.cells, w.sizes[i]});
    for (std::size_t j = 0; j < w.axes(); ++j) {
      if (column_major ? j < i : j > i) step[i] *= spatial[j];
    }
  }
  table_size({p.windows, p.cells});
  for (std::int64_t window = 0; window < p.windows; ++window) {
    for (std::int64_t cell = 0; cell < p.cells; ++cell) {
      std::int64_t a = window, b = cell, place = 0;
      bool inside = true;
      for (std::size_t i = w.axes(); i-- > 0;) {
        const std::int64_t at =
            (a % p.counts[i]) * w.strides[i] - w.begin[i] + (b % w.sizes[i]) * w.dilations[i];
        a /= p.counts[i];
        b /= w.sizes[i];
        inside = inside && at >= 0 && at < spatial[i];
        place += at * step[i];
      }
      p.place.push_back(inside ? place : -1);
    }
  }
  return p;
}

// Maximum and its place in the whole tensor, from a table of the cells of every window.
Values max_pool_with_places(NodeContext& c, const Tensor& x, const Windows& w, bool ceil_mode) {
  const List dims = known_dims(c, x);
  const List spatial(dims.begin() + 2, dims.end());
  const bool column_major = c.i("storage_order", 0) != 0;
  const Places cells = window_places(c, w, spatial, ceil_mode, false);
  const Places names = window_places(c, w, spatial, ceil_mode, column_major);
  std::int64_t size = 1;
  for (const std::int64_t d : spatial)
    size *= d;
  const std::int64_t images = dims[0] * dims[1];
  const Shape table{Dim(cells.windows), Dim(cells.cells)};
  const Tensor place = Tensor::from(cells.place, table);
  const Tensor inside = greater_equal(place, Tensor(std::int64_t{0}));
  const Tensor values =
      gather(reshape(x, List{images, size}), maximum(place, Tensor(std::int64_t{0})), 1);
  const Tensor seen = where(inside, values, lowest(x.dtype()));  // [images, windows, cells]
  const Tensor best = argmax(seen, 2, DType::int64);
  const Tensor chosen =
      one_hot(best, Ints(cells.cells), Tensor(std::int64_t{1}), Tensor(std::int64_t{0}), -1);
  const Tensor local = sum(chosen * Tensor::from(names.place, table), 2);
  const Tensor first = reshape(Tensor::from(iota(images)) * Tensor(size), List{images, 1});
  List out = {dims[0], dims[1]};
  out.insert(out.end(), cells.counts.begin(), cells.counts.end());
  return {reshape(max(seen, 2), out), reshape(local + first, out)};
}

Values convert_max_pool(NodeContext& c) {
  const Tensor& x = c.in(0);
  Windows w = pool_windows(c);
  const bool ceil_mode = c.flag("ceil_mode");
  resolve_padding(c, x, &w);
  if (c.wants(1)) return max_pool_with_places(c, x, w, ceil_mode);
  if (is_plain_2d(w, x, ceil_mode)) return {max_pool_2d(x, w)};
  return {pool_by_axis(c, x, w, ceil_mode, lowest(x.dtype()), maximum)};
}

// How many cells each window averages over, as a factor that broadcasts.
Tensor reciprocal_counts(
    const NodeContext& c, const Tensor& x, const Windows& w, bool ceil_mode, bool count_padding) {
  Tensor factor = Tensor(1.f);
  for (std::size_t i = 0; i < w.axes(); ++i) {
    const std::int64_t n = known_dim(c, x, static_cast<std::int64_t>(i) + 2);
    const std::int64_t low = count_padding ? -w.begin[i] : 0;
    const std::int64_t high = count_padding ? n + w.end[i] : n;
    check_taps(c, w.sizes[i]);
    table_size({window_count(c, w, i, n, ceil_mode)});
    std::vector<float> each;
    for (std::int64_t o = 0; o < window_count(c, w, i, n, ceil_mode); ++o) {
      std::int64_t count = 0;
      for (std::int64_t k = 0; k < w.sizes[i]; ++k) {
        const std::int64_t at = o * w.strides[i] - w.begin[i] + k * w.dilations[i];
        count += at >= low && at < high;
      }
      each.push_back(1.f / static_cast<float>(std::max<std::int64_t>(count, 1)));
    }
    List dims(w.axes(), 1);
    dims[i] = static_cast<std::int64_t>(each.size());
    const InitScope now;
    factor = factor * Tensor::from(each, Shape(dims));
  }
  const InitScope now;
  return cast(factor, x.dtype());
}

Values convert_average_pool(NodeContext& c) {
  const Tensor& x = c.in(0);
  Windows w = pool_windows(c);
  const bool ceil_mode = c.flag("ceil_mode"), count_padding = c.flag("count_include_pad");
  resolve_padding(c, x, &w);
  if (is_plain_2d(w, x, ceil_mode) && (is_unpadded(w) || count_padding)) {
    const Tensor padded = is_unpadded(w)
                              ? to_channels_last(x)
                              : pad(to_channels_last(x),
                                    List{0, 0, w.begin[0], w.end[0], w.begin[1], w.end[1], 0, 0});
    return {to_channels_first(avg_pool(padded, with_ends(w.sizes), with_ends(w.strides)))};
  }
  const Tensor zero = cast(Tensor(0.f), x.dtype());
  const Tensor total = pool_by_axis(c, x, w, ceil_mode, zero, add);
  return {total * reciprocal_counts(c, x, w, ceil_mode, count_padding)};
}

Tensor absolute_power(const Tensor& x, std::int64_t p) {
  if (p == 2) return square(x);
  return p == 1 ? abs(x) : pow(abs(x), cast(Tensor(double(p)), x.dtype()));
}

Tensor root(const Tensor& x, std::int64_t p) {
  if (p == 2) return sqrt(x);
  return p == 1 ? x : pow(x, cast(Tensor(1.0 / double(p)), x.dtype()));
}

Values convert_lp_pool(NodeContext& c) {
  const Tensor& x = c.in(0);
  Windows w = pool_windows(c);
  resolve_padding(c, x, &w);
  const std::int64_t p = c.i("p", 2);
  if (p < 1) c.damaged("the attribute 'p'");
  const Tensor zero = cast(Tensor(0.f), x.dtype());
  const Tensor total = pool_by_axis(c, absolute_power(x, p), w, c.flag("ceil_mode"), zero, add);
  return {root(total, p)};
}

List spatial_axes(NodeContext& c) {
  if (c.rank(0) < 3) c.damaged("an input without spatial axes");
  return iota(c.rank(0) - 2, 2);
}

Values convert_global_average(NodeContext& c) {
  const List axes = spatial_axes(c);
  const Tensor source = channels_last_source(c.in(0));
  if (!source.defined()) return {mean(c.in(0), axes, true)};
  return {to_channels_first(mean(source, iota(c.rank(0) - 2, 1), true))};
}
Values convert_global_max(NodeContext& c) {
  return {max(c.in(0), spatial_axes(c), true)};
}
Values convert_global_lp(NodeContext& c) {
  const std::int64_t p = c.i("p", 2);
  return {root(sum(absolute_power(c.in(0), p), spatial_axes(c), true), p)};
}

// Values back at the places that MaxPool named; those count through the whole tensor.
Values convert_max_unpool(NodeContext& c) {
  const Tensor &x = c.in(0), &places = c.in(1);
  const Windows w = pool_windows(c);
  check_spatial(c, x);
  List small = known_dims(c, x);
  List out = small;
  for (std::size_t i = 0; i < w.axes(); ++i) {
    out[i + 2] = (small[i + 2] - 1) * w.strides[i] + w.extent(i) - w.begin[i] - w.end[i];
  }
  std::int64_t size = 1;
  for (const std::int64_t d : out) {
    if (d < 0 || __builtin_mul_overflow(size, std::max<std::int64_t>(d, 1), &size)) {
      c.damaged("the size of its result");
    }
  }
  const Tensor flat = scatter_nd(reshape(places, List{-1, 1}), reshape(x, List{-1}), List{size});
  Tensor y = reshape(flat, out);
  if (!c.has(2)) return {y};
  List rows;
  const List wanted = c.constant_ints(2);
  if (wanted.size() != out.size()) c.damaged("another rank of its output shape");
  // The places still count through the smaller tensor, which lies at the beginning.
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (wanted[i] < out[i]) c.damaged("an output shape that is too small");
    rows.push_back(0);
    rows.push_back(wanted[i] - out[i]);
  }
  return {pad(y, rows)};
}

constexpr Converter kConverters[] = {
    {"AveragePool", convert_average_pool},
    {"GlobalAveragePool", convert_global_average},
    {"GlobalLpPool", convert_global_lp},
    {"GlobalMaxPool", convert_global_max},
    {"LpPool", convert_lp_pool},
    {"MaxPool", convert_max_pool},
    {"MaxUnpool", convert_max_unpool},
};

}  // namespace

std::span<const Converter> pool_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
