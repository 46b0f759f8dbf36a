#include <weir/nn.h>
#include <weir/ops/nn.h>

#include <algorithm>

#include "leaf/onnx/small_types.h"
#include "leaf/onnx/windows.h"

namespace weir::onnx_io {
namespace {

List with_ends(const List& two) {
  return {1, two[0], two[1], 1};
}

// -- convolutions --

// x [n, h, w, c] and filter [kh, kw, c / groups, o].
Tensor conv_2d(const Tensor& x, const Tensor& filter, const Windows& w, std::int64_t groups) {
  const List explicit_paddings = {0, 0, w.begin[0], w.end[0], w.begin[1], w.end[1], 0, 0};
  const bool none = std::all_of(
      explicit_paddings.begin(), explicit_paddings.end(), [](auto p) { return p == 0; });
  const char* padding = none ? "VALID" : "EXPLICIT";
  const List pads = none ? List{} : explicit_paddings;
  if (groups > 1 && filter.dim(2) == 1 && filter.dim(3) % groups == 0 && x.dim(3) == groups) {
    const Tensor each =
        reshape(filter, List{filter.dim(0), filter.dim(1), groups, filter.dim(3) / groups});
    return depthwise_convolution_2d(
        x, each, with_ends(w.strides), padding, pads, "NHWC", with_ends(w.dilations));
  }
  return convolution_2d(
      x, filter, with_ends(w.strides), padding, pads, "NHWC", with_ends(w.dilations));
}

Windows last_two(const Windows& w) {
  const auto cut = [](const List& l) { return List(l.end() - 2, l.end()); };
  return {cut(w.sizes), cut(w.strides), cut(w.dilations), cut(w.begin), cut(w.end), w.auto_pad};
}

// A window of one axis as one of two, the first of which has one cell.
Windows widened(const Windows& w) {
  const auto front = [](const List& l, std::int64_t v) { return List{v, l[0]}; };
  return {front(w.sizes, 1),
          front(w.strides, 1),
          front(w.dilations, 1),
          front(w.begin, 0),
          front(w.end, 0),
          w.auto_pad};
}

// x [n, d, h, w, c]: the sum over the filter's depth of convolutions of the planes that it meets.
Tensor conv_3d(const NodeContext& c,
               const Tensor& x,
               const Tensor& filter,
               const Windows& w,
               std::int64_t groups) {
  const Tensor padded = pad(x, List{0, 0, w.begin[0], w.end[0], 0, 0, 0, 0, 0, 0});
  const std::int64_t planes = window_count(c, w, 0, known_dim(c, x, 1), false);
  check_taps(c, w.sizes[0]);
  Tensor total;
  for (std::int64_t k = 0; k < w.sizes[0]; ++k) {
    const Tensor met = take(padded, 1, k * w.dilations[0], w.strides[0], planes);
    const Tensor merged = reshape(met, List{-1, x.dim(2), x.dim(3), x.dim(4)});
    const Tensor part = conv_2d(merged, squeeze(take(filter, 0, k, 1, 1), 0), last_two(w), groups);
    total = total.defined() ? total + part : part;
  }
  return reshape(total, List{-1, planes, total.dim(1), total.dim(2), total.dim(3)});
}

// x [n, spatial..., c], filter [spatial..., c / groups, o].
Tensor conv_nd(const NodeContext& c,
               const Tensor& x,
               const Tensor& filter,
               const Windows& w,
               std::int64_t groups) {
  switch (w.axes()) {
    case 1:
      return squeeze(conv_2d(expand_dims(x, 1), expand_dims(filter, 0), widened(w), groups), 1);
    case 2:
      return conv_2d(x, filter, w, groups);
    case 3:
      known_dims(c, x);
      return conv_3d(c, x, filter, w, groups);
    default:
      c.unsupported("a convolution over " + std::to_string(w.axes()) + " axes");
  }
}

std::vector<std::int64_t> filter_sizes(const NodeContext& c, const Tensor& w) {
  const List dims = known_dims(c, w);
  if (dims.size() < 3) c.damaged("weights " + w.describe());
  const List sizes(dims.begin() + 2, dims.end());
  if (c.has_attr("kernel_shape") && c.ints("kernel_shape") != sizes) {
    c.damaged("its kernel_shape is not that of its weights");
  }
  return sizes;
}

// [o, i, spatial...] -> [spatial..., i, o]
Tensor filter_channels_last(const Tensor& w) {
  List order = iota(w.rank() - 2, 2);
  order.push_back(1);
  order.push_back(0);
  return transpose(w, order);
}

Tensor convolve(NodeContext& c, const Tensor& x, const Tensor& weights) {
  if (!x.shape().has_rank() || x.rank() != weights.rank()) {
    c.damaged("an input " + x.describe() + " for weights " + weights.describe());
  }
  Windows w = read_windows(c, filter_sizes(c, weights));
  resolve_padding(c, x, &w);
  for (const List* pads : {&w.begin, &w.end}) {
    if (std::any_of(pads->begin(), pads->end(), [](auto p) { return p < 0; })) {
      c.unsupported("negative padding");
    }
  }
  const std::int64_t groups = c.i("group", 1), channels = known_dim(c, x, 1);
  if (groups < 1 || channels != groups * weights.dim(1) || weights.dim(0) % groups != 0) {
    c.damaged(std::to_string(groups) + " groups of an input " + x.describe() + " and weights " +
              weights.describe());
  }
  return conv_nd(c, to_channels_last(x), filter_channels_last(weights), w, groups);
}

Values convert_conv(NodeContext& c) {
  Tensor y = convolve(c, c.in(0), c.in(1));
  if (c.has(2)) y = bias_add(y, c.in(2));
  return {to_channels_first(y)};
}

// -- transposed convolutions --

// All cells that the windows of x [n, h, w, c] reach; filter [kh, kw, o / groups, c].
Tensor spread_2d(const Tensor& x, const Tensor& filter, const Windows& w, std::int64_t groups) {
  const auto full = [&](std::size_t i) {
    return w.strides[i] * (x.dim(int(i) + 1) - 1) + w.extent(i);
  };
  const List rest = {full(0), full(1), filter.dim(2) * groups};
  Tensor sizes = Tensor::from(List{x.dim(0), rest[0], rest[1], rest[2]});
  if (x.dim(0) < 0) sizes = concat({slice(dims_of(x), 0, 1), Tensor::from(rest)}, 0);
  const Tensor y = convolution_2d_input_gradient(
      sizes, filter, x, with_ends(w.strides), "VALID", List{}, "NHWC", with_ends(w.dilations));
  return y.shape().is_static() ? y : ensure_shape(y, List{-1, rest[0], rest[1], rest[2]});
}

// Zeros between the elements of an axis, so that they stand `step` apart.
Tensor spaced(const Tensor& x, std::int64_t axis, std::int64_t step) {
  if (step == 1) return x;
  const std::int64_t n = x.dim(int(axis));
  List rows(2 * std::size_t(x.rank() + 1), 0);
  rows[2 * std::size_t(axis + 1) + 1] = step - 1;
  List dims = x.shape().to_vector();
  dims[std::size_t(axis)] = n * step;
  return take(reshape(pad(expand_dims(x, axis + 1), rows), dims), axis, 0, 1, (n - 1) * step + 1);
}

Tensor spread_3d(const Tensor& x, const Tensor& filter, const Windows& w, std::int64_t groups) {
  const List dims = x.shape().to_vector();
  Tensor total;
  for (std::int64_t k = 0; k < w.sizes[0]; ++k) {
    const Tensor merged = reshape(x, List{dims[0] * dims[1], dims[2], dims[3], dims[4]});
    Tensor part = spread_2d(merged, squeeze(take(filter, 0, k, 1, 1), 0), last_two(w), groups);
    part = reshape(part, List{dims[0], dims[1], part.dim(1), part.dim(2), part.dim(3)});
    part = spaced(part, 1, w.strides[0]);
    const std::int64_t before = k * w.dilations[0];
    part = pad(part, List{0, 0, before, w.extent(0) - 1 - before, 0, 0, 0, 0, 0, 0});
    total = total.defined() ? total + part : part;
  }
  return total;
}

Tensor spread_nd(const NodeContext& c,
                 const Tensor& x,
                 const Tensor& filter,
                 const Windows& w,
                 std::int64_t groups) {
  switch (w.axes()) {
    case 1:
      return squeeze(spread_2d(expand_dims(x, 1), expand_dims(filter, 0), widened(w), groups), 1);
    case 2:
      return spread_2d(x, filter, w, groups);
    case 3:
      known_dims(c, x);
      check_taps(c, w.sizes[0]);
      return spread_3d(x, filter, w, groups);
    default:
      c.unsupported("a convolution over " + std::to_string(w.axes()) + " axes");
  }
}

// Drops, or where negative adds, cells at the ends of the spatial axes of y [n, spatial..., c].
Tensor cropped(const NodeContext& c, Tensor y, const List& begin, const List& end) {
  List rows(2 * std::size_t(y.rank()), 0);
  bool more = false;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    const auto axis = std::int64_t(i) + 1;
    const std::int64_t first = std::max<std::int64_t>(begin[i], 0);
    const std::int64_t left = y.dim(int(axis)) - first - std::max<std::int64_t>(end[i], 0);
    if (left < 0) c.damaged("padding that is larger than the result");
    if (left != y.dim(int(axis))) y = take(y, axis, first, 1, left);
    rows[2 * (i + 1)] = std::max<std::int64_t>(-begin[i], 0);
    rows[2 * (i + 1) + 1] = std::max<std::int64_t>(-end[i], 0);
    more = more || begin[i] < 0 || end[i] < 0;
  }
  return more ? pad(y, rows) : y;
}

// Padding of a transposed convolution: given, or what makes the result have its size.
void resolve_spread(const NodeContext& c, const Tensor& x, const List& output_padding, Windows* w) {
  const bool same = w->auto_pad != "NOTSET";
  if (!same && !c.has_attr("output_shape")) return;
  List wanted = c.ints("output_shape");
  if (wanted.size() == w->axes() + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  for (std::size_t i = 0; i < w->axes(); ++i) {
    const std::int64_t in = known_dim(c, x, std::int64_t(i) + 2);
    if (wanted.size() < w->axes()) wanted.push_back(in * w->strides[i]);
    const std::int64_t full = w->strides[i] * (in - 1) + output_padding[i] + w->extent(i);
    const std::int64_t total = std::max<std::int64_t>(full - wanted[i], 0);
    const bool small_first = w->auto_pad == "SAME_UPPER";
    w->begin[i] = small_first ? total / 2 : total - total / 2;
    w->end[i] = total - w->begin[i];
    // Cells beyond the windows are zeros.
    if (full < wanted[i]) w->end[i] = full - wanted[i];
  }
}

Values convert_conv_transpose(NodeContext& c) {
  const Tensor &x = c.in(0), &weights = c.in(1);
  if (c.rank(0) != c.rank(1)) c.damaged("an input " + x.describe());
  Windows w = read_windows(c, filter_sizes(c, weights));
  check_spatial(c, x);
  const List output_padding = c.ints("output_padding", List(w.axes(), 0));
  if (output_padding.size() != w.axes()) c.damaged("the attribute 'output_padding'");
  for (std::size_t i = 0; i < w.axes(); ++i)
    known_dim(c, x, std::int64_t(i) + 2);
  const std::int64_t groups = c.i("group", 1);
  if (groups < 1 || x.dim(1) != weights.dim(0) || x.dim(1) % groups != 0) {
    c.damaged(std::to_string(groups) + " groups of an input " + x.describe());
  }
  resolve_spread(c, x, output_padding, &w);
  Tensor y = spread_nd(c, to_channels_last(x), filter_channels_last(weights), w, groups);
  for (std::size_t i = 0; i < w.axes(); ++i)
    w.end[i] -= output_padding[i];
  y = cropped(c, y, w.begin, w.end);
  if (c.has(2)) y = bias_add(y, c.in(2));
  return {to_channels_first(y)};
}

// -- of integers --

// Operand i less its zero point, which is one number or one for each output channel: float64, in
// which sums of products of bytes are exact.
Tensor centred(NodeContext& c, std::size_t i, std::size_t zero) {
  const Tensor x = cast(c.in(i), DType::float64);
  if (!c.has(zero)) return x;
  const Tensor z = cast(c.in(zero), DType::float64);
  if (z.size() == 1) return x - as_scalar(z);
  List dims(static_cast<std::size_t>(c.rank(i)), 1);
  dims[0] = -1;
  return x - reshape(z, dims);
}

Values convert_conv_integer(NodeContext& c) {
  const Tensor y = convolve(c, centred(c, 0, 2), centred(c, 1, 3));
  return {cast(to_channels_first(y), DType::int32)};
}

Tensor scale_of(const Tensor& x) {
  return x.size() == 1 ? as_scalar(x) : x;
}

Values convert_qlinear_conv(NodeContext& c) {
  Tensor y = convolve(c, centred(c, 0, 2), centred(c, 3, 5));
  if (c.has(8)) y = bias_add(y, cast(c.in(8), DType::float64));
  // Scales of the weights are those of the channels, the last axis here.
  const Tensor scale = scale_of(c.in(1)) * scale_of(c.in(4)) / scale_of(c.in(6));
  const Value& zero = c.value(7);
  const IntegerRange range = integer_range(zero.type);
  y = rint(cast(y * cast(scale, DType::float64), DType::float32));
  y = clip_by_value(y + cast(as_scalar(zero.tensor), DType::float32), range.low, range.high);
  return {to_channels_first(cast(y, zero.tensor.dtype()))};
}

constexpr Converter kConverters[] = {
    {"Conv", convert_conv},
    {"ConvInteger", convert_conv_integer},
    {"ConvTranspose", convert_conv_transpose},
    {"QLinearConv", convert_qlinear_conv},
};

}  // namespace

std::span<const Converter> conv_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
