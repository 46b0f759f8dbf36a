#include <weir/ops/linalg.h>

#include <algorithm>
#include <cmath>

#include "leaf/onnx/windows.h"

namespace weir::onnx_io {
namespace {

// -- reading an image between its cells --

struct Sampling {
  std::string mode;     // nearest, linear, cubic
  std::string padding;  // zeros, border, reflection
  bool align_corners = false;
};

// An image with all cells in one axis: [n, cells, channels].
struct Cells {
  Tensor values;
  List sizes;  // of the spatial axes
};

Cells cells_of(const NodeContext& c, const Tensor& x) {
  const List d = known_dims(c, x);
  List sizes(d.begin() + 2, d.end());
  std::int64_t count = 1;
  for (const std::int64_t s : sizes)
    count *= s;
  return {reshape(to_channels_last(x), List{d[0], count, d[1]}), sizes};
}

// A coordinate beyond [low, high] as its mirror image.
Tensor reflected(const Tensor& at, double low, double high) {
  const double range = high - low;
  if (range <= 0) return zeros_like(at) + low;
  const Tensor distance = abs(at - low);
  const Tensor turns = floor(distance / range);
  const Tensor rest = distance - turns * range;
  const Tensor even = equal(floormod(turns, 2.0), zeros_like(turns));
  return where(even, rest + low, high - rest);
}

// The cells at whole coordinates, one list an axis, each [n, points]: [n, points, channels].
Tensor fetch(const Cells& image, const std::vector<Tensor>& at, const Sampling& s) {
  Tensor place, inside;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double last = double(image.sizes[i] - 1);
    Tensor a = at[i];
    if (s.padding == "reflection") {
      a = reflected(a, s.align_corners ? 0 : -0.5, s.align_corners ? last : last + 0.5);
    }
    if (s.padding == "zeros") {
      const Tensor good = logical_and(a >= 0.0, a <= last);
      inside = inside.defined() ? logical_and(inside, good) : good;
    }
    const Tensor index = cast(clip_by_value(rint(a), 0.0, last), DType::int64);
    place = place.defined() ? place * image.sizes[i] + index : index;
  }
  const Tensor found = gather(image.values, place, 1, 1);
  if (!inside.defined()) return found;
  return where(expand_dims(inside, -1), found, zeros_like(found));
}

// Weights of the neighbours of a point that lies `t` behind the one at 0.
std::vector<Tensor> neighbour_weights(const Tensor& t, const std::string& mode) {
  if (mode == "linear") return {1.0 - t, t};
  const double a = -0.75;
  const auto near = [&](const Tensor& x) { return ((x * (a + 2) - (a + 3)) * x * x) + 1.0; };
  const auto far = [&](const Tensor& x) { return ((x * a - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)};
}

// at: pixel coordinates [n, points] of each axis. The neighbours of a point, each times its weight,
// are combined by `combine`.
Tensor sample(const Cells& image,
              const std::vector<Tensor>& at,
              const Sampling& s,
              Tensor (*combine)(Operand, Operand)) {
  if (s.mode == "nearest") {
    std::vector<Tensor> whole;
    for (const Tensor& a : at)
      whole.push_back(rint(a));
    return fetch(image, whole, s);
  }
  const int taps = s.mode == "linear" ? 2 : 4, before = taps / 2 - 1;
  std::vector<Tensor> base;
  std::vector<std::vector<Tensor>> weights;
  std::int64_t combinations = 1;
  for (const Tensor& a : at) {
    base.push_back(floor(a));
    weights.push_back(neighbour_weights(a - base.back(), s.mode));
    combinations *= taps;
  }
  Tensor total;
  for (std::int64_t k = 0; k < combinations; ++k) {
    std::vector<Tensor> near;
    Tensor weight;
    std::int64_t rest = k;
    for (std::size_t i = 0; i < at.size(); ++i, rest /= taps) {
      const std::int64_t tap = rest % taps;
      near.push_back(base[i] + double(tap - before));
      const Tensor& w = weights[i][static_cast<std::size_t>(tap)];
      weight = weight.defined() ? weight * w : w;
    }
    const Tensor part = fetch(image, near, s) * expand_dims(weight, -1);
    total = total.defined() ? combine(total, part) : part;
  }
  return total;
}

Values convert_grid_sample(NodeContext& c) {
  const Tensor &x = c.in(0), &grid = c.in(1);
  const List d = known_dims(c, x), g = known_dims(c, grid);
  const std::size_t axes = d.size() - 2;
  if (d.size() < 3 || g.size() != d.size() || g.back() != std::int64_t(axes) || g[0] != d[0]) {
    c.damaged("a grid " + grid.describe() + " for " + x.describe());
  }
  Sampling s{c.s("mode", "linear"), c.s("padding_mode", "zeros"), c.flag("align_corners")};
  if (s.mode == "bilinear") s.mode = "linear";
  if (s.mode == "bicubic") s.mode = "cubic";
  const Cells image = cells_of(c, x);
  const Tensor points = reshape(grid, List{d[0], -1, std::int64_t(axes)});
  std::vector<Tensor> at;
  for (std::size_t i = 0; i < axes; ++i) {
    // The grid names the last axis first.
    const std::int64_t column = std::int64_t(axes - 1 - i);
    const Tensor p = squeeze(take(points, 2, column, 1, 1), 2);
    const double n = double(d[i + 2]);
    at.push_back(s.align_corners ? (p + 1.0) * ((n - 1) / 2) : ((p + 1.0) * n - 1.0) / 2.0);
  }
  List out(g.begin(), g.end() - 1);
  out.push_back(d[1]);
  return {to_channels_first(reshape(sample(image, at, s, add), out))};
}

// -- regions --

// Sample points of regions along one axis: [regions, bins * ratio], and the number of cells there.
struct RegionAxis {
  Tensor points;
  std::int64_t cells;
};

RegionAxis region_axis(NodeContext& c,
                       const Tensor& begin,
                       const Tensor& end,
                       std::int64_t bins,
                       std::int64_t ratio,
                       std::int64_t cells) {
  const bool half =
      c.opset() >= 16 && c.s("coordinate_transformation_mode", "half_pixel") == "half_pixel";
  const double scale = c.f("spatial_scale", 1), shift = half ? 0.5 : 0;
  const Tensor first = begin * scale - shift;
  Tensor size = end * scale - shift - first;
  if (!half) size = maximum(size, 1.0);
  std::vector<double> at;
  for (std::int64_t i = 0; i < bins * ratio; ++i)
    at.push_back((double(i) + 0.5) / double(ratio * bins));
  const Tensor steps = cast(Tensor::from(at, Shape{1, Dim(bins * ratio)}), begin.dtype());
  return {expand_dims(first, 1) + expand_dims(size, 1) * steps, cells};
}

// Where regions are read: points just outside count as the border, those beyond as 0.
Tensor inside_of(const RegionAxis& a) {
  return logical_and(a.points >= -1.0, a.points <= double(a.cells));
}

Values convert_roi_align(NodeContext& c) {
  const Tensor &x = c.in(0), &rois = c.in(1);
  const List d = known_dims(c, x);
  const std::int64_t height = c.i("output_height", 1), width = c.i("output_width", 1);
  const std::int64_t ratio = c.i("sampling_ratio", 0);
  if (d.size() != 4 || c.rank(1) != 2 || height < 1 || width < 1) c.damaged("its sizes");
  if (ratio < 1) c.unsupported("a number of samples that depends on the regions");
  if (height * ratio > (1 << 9) || width * ratio > (1 << 9)) c.unsupported("so many samples");
  const std::vector<Tensor> side = unpack(rois, 4, 1);  // x1, y1, x2, y2
  const RegionAxis v = region_axis(c, side[1], side[3], height, ratio, d[2]);
  const RegionAxis h = region_axis(c, side[0], side[2], width, ratio, d[3]);
  const std::int64_t rows = height * ratio, columns = width * ratio;
  const Tensor zeros_grid = Tensor::zeros(Shape{1, Dim(rows), Dim(columns)}, rois.dtype());
  const auto flat = [&](const Tensor& t) { return reshape(t, List{-1, rows * columns}); };
  const Tensor y =
      flat(clip_by_value(expand_dims(v.points, 2), 0.0, double(d[2] - 1)) + zeros_grid);
  const Tensor z =
      flat(clip_by_value(expand_dims(h.points, 1), 0.0, double(d[3] - 1)) + zeros_grid);
  const Tensor good = flat(logical_and(expand_dims(inside_of(v), 2), expand_dims(inside_of(h), 1)));
  Cells image = cells_of(c, x);
  image.values = gather(image.values, c.in(2));
  const bool largest = c.s("mode", "avg") == "max";
  Tensor found = sample(image, {y, z}, {"linear", "border", false}, largest ? maximum : add);
  found = where(expand_dims(good, -1), found, zeros_like(found));
  found = reshape(found, List{-1, height, ratio, width, ratio, d[1]});
  found = largest ? max(found, List{2, 4}) : mean(found, List{2, 4});
  return {to_channels_first(found)};
}

// -- convolution at places that are moved --

struct Deformed {
  List x, w, out;  // dimensions: [n, c, h, w], [o, c / groups, kh, kw]; of the result's cells
  std::int64_t offset_groups;
};

// The cells under tap k of the filter, of one group of offsets: [n, cells, channels].
Tensor deformed_tap(NodeContext& c,
                    const Deformed& f,
                    const Windows& w,
                    const Cells& image,
                    std::int64_t group,
                    std::int64_t k) {
  const std::int64_t taps = f.w[2] * f.w[3], cells = f.out[0] * f.out[1];
  const auto plane = [&](std::size_t operand, std::int64_t at) {
    return reshape(take(c.in(operand), 1, at, 1, 1), List{f.x[0], cells});
  };
  std::vector<Tensor> points;
  for (std::int64_t axis = 0; axis < 2; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t tap = axis == 0 ? k / f.w[3] : k % f.w[3];
    std::vector<double> base;
    for (std::int64_t cell = 0; cell < cells; ++cell) {
      const std::int64_t window = axis == 0 ? cell / f.out[1] : cell % f.out[1];
      base.push_back(double(window * w.strides[a] - w.begin[a] + tap * w.dilations[a]));
    }
    const Tensor start = cast(Tensor::from(base, Shape{1, Dim(cells)}), c.in(0).dtype());
    points.push_back(plane(2, (group * taps + k) * 2 + axis) + start);
  }
  const Tensor found = sample(image, points, {"linear", "zeros", false}, add);
  if (!c.has(4)) return found;
  return found * expand_dims(plane(4, group * taps + k), -1);
}

Values convert_deform_conv(NodeContext& c) {
  Deformed f{known_dims(c, c.in(0)), known_dims(c, c.in(1)), {}, c.i("offset_group", 1)};
  if (f.x.size() != 4 || f.w.size() != 4) c.unsupported("a convolution that has not two axes");
  Windows w = read_windows(c, List(f.w.begin() + 2, f.w.end()));
  for (std::size_t i = 0; i < 2; ++i)
    f.out.push_back(window_count(c, w, i, f.x[i + 2], false));
  const std::int64_t groups = c.i("group", 1), taps = f.w[2] * f.w[3];
  if (groups < 1 || f.offset_groups < 1 || f.x[1] != groups * f.w[1] ||
      f.x[1] % f.offset_groups != 0 || f.w[0] % groups != 0 || taps > 1024) {
    c.damaged("its groups");
  }
  table_size({f.out[0], f.out[1]});
  const std::int64_t each = f.x[1] / f.offset_groups, cells = f.out[0] * f.out[1];
  std::vector<Tensor> columns;  // of each tap: [n, cells, c]
  std::vector<Cells> images;
  for (std::int64_t g = 0; g < f.offset_groups; ++g)
    images.push_back(cells_of(c, take(c.in(0), 1, g * each, 1, each)));
  for (std::int64_t k = 0; k < taps; ++k) {
    std::vector<Tensor> parts;
    for (std::int64_t g = 0; g < f.offset_groups; ++g)
      parts.push_back(deformed_tap(c, f, w, images[std::size_t(g)], g, k));
    columns.push_back(concat(parts, 2));
  }
  // [n, cells, taps, groups, c / groups] by [groups, o / groups, taps * c / groups]
  const Tensor all = reshape(stack(columns, 2), List{f.x[0], cells, taps, groups, f.w[1]});
  const Tensor rows =
      reshape(transpose(all, List{0, 3, 1, 2, 4}), List{f.x[0], groups, cells, taps * f.w[1]});
  const Tensor filter =
      reshape(transpose(reshape(c.in(1), List{f.w[0], f.w[1], taps}), List{0, 2, 1}),
              List{groups, f.w[0] / groups, taps * f.w[1]});
  const Tensor product = matmul(rows, filter, false, true);  // [n, groups, cells, o / groups]
  Tensor y =
      reshape(transpose(product, List{0, 1, 3, 2}), List{f.x[0], f.w[0], f.out[0], f.out[1]});
  if (c.has(3)) y = y + reshape(c.in(3), List{-1, 1, 1});
  return {y};
}

// -- grids --

// Places from -1 to 1 along an axis of n cells.
std::vector<double> places(std::int64_t n, bool align_corners) {
  std::vector<double> list;
  for (std::int64_t i = 0; i < n; ++i) {
    list.push_back(align_corners ? (n == 1 ? -1 : -1 + 2.0 * double(i) / double(n - 1))
                                 : -1 + (2.0 * double(i) + 1) / double(n));
  }
  return list;
}

Values convert_affine_grid(NodeContext& c) {
  const Tensor& theta = c.in(0);
  const List size = c.constant_ints(1);
  const auto axes = static_cast<std::int64_t>(size.size()) - 2;
  if (axes < 2 || axes > 3) c.damaged("its size");
  std::int64_t count = 1;
  for (std::size_t i = 2; i < size.size(); ++i) {
    if (size[i] < 1 || size[i] > (1 << 16)) c.damaged("its size");
    count = table_size({count, size[i]});
  }
  // [cells, axes + 1]: the last axis first, then 1.
  std::vector<std::vector<double>> along;
  for (std::size_t i = 2; i < size.size(); ++i)
    along.push_back(places(size[i], c.flag("align_corners")));
  std::vector<double> rows;
  for (std::int64_t cell = 0; cell < count; ++cell) {
    std::int64_t rest = cell;
    for (std::size_t i = along.size(); i-- > 0;) {
      rows.push_back(along[i][std::size_t(rest % size[i + 2])]);
      rest /= size[i + 2];
    }
    rows.push_back(1);
  }
  Tensor base;
  {
    const InitScope now;
    base = cast(Tensor::from(rows, Shape{Dim(count), Dim(axes + 1)}), theta.dtype());
  }
  List out = {size[0]};
  out.insert(out.end(), size.begin() + 2, size.end());
  out.push_back(axes);
  return {reshape(matmul(base, theta, false, true), out)};
}

// -- parts --

Values convert_center_crop_pad(NodeContext& c) {
  Tensor x = c.in(0);
  const std::int64_t rank = c.rank(0);
  const List axes = c.has_attr("axes") ? check_axes(c, c.ints("axes"), rank) : iota(rank);
  const List wanted = c.constant_ints(1);
  if (wanted.size() != axes.size()) c.damaged("a shape that does not fit the axes");
  List rows(2 * static_cast<std::size_t>(rank), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t have = known_dim(c, x, axes[i]), want = wanted[i];
    if (want < 0) c.damaged("a negative size");
    if (have > want) x = take(x, axes[i], (have - want) / 2, 1, want);
    if (have < want) {
      rows[2 * std::size_t(axes[i])] = (want - have) / 2;
      rows[2 * std::size_t(axes[i]) + 1] = want - have - (want - have) / 2;
    }
  }
  return {pad(x, rows)};
}

// Columns of blocks added up where they lie in the image.
Values convert_col2im(NodeContext& c) {
  const Tensor& x = c.in(0);
  const List d = known_dims(c, x), image = c.constant_ints(1), block = c.constant_ints(2);
  if (d.size() != 3 || image.size() != block.size() || block.empty()) c.damaged("its shapes");
  Windows w = read_windows(c, block);
  std::int64_t cells = 1, count = 1, size = 1;
  List counts, padded;
  for (std::size_t i = 0; i < image.size(); ++i) {
    counts.push_back(window_count(c, w, i, image[i], false));
    padded.push_back(image[i] + w.begin[i] + w.end[i]);
    cells = table_size({cells, block[i]});
    count = table_size({count, counts[i]});
    size = table_size({size, padded[i]});
  }
  if (d[1] % cells != 0 || d[2] != count) c.damaged("its shapes");
  table_size({cells, count});
  List place;
  for (std::int64_t cell = 0; cell < cells; ++cell) {
    for (std::int64_t window = 0; window < count; ++window) {
      std::int64_t a = window, b = cell, at = 0, step = 1;
      for (std::size_t i = image.size(); i-- > 0;) {
        at += step * ((a % counts[i]) * w.strides[i] + (b % block[i]) * w.dilations[i]);
        step *= padded[i];
        a /= counts[i];
        b /= block[i];
      }
      place.push_back(at);
    }
  }
  const std::int64_t channels = d[1] / cells, images = d[0] * channels;
  // [cells * windows, images]
  const Tensor columns = transpose(reshape(x, List{images, cells * count}));
  const Tensor sums =
      scatter_nd(Tensor::from(place, Shape{Dim(cells * count), 1}), columns, List{size, images});
  List whole = {d[0], channels};
  whole.insert(whole.end(), padded.begin(), padded.end());
  Tensor y = reshape(transpose(sums), whole);
  for (std::size_t i = 0; i < image.size(); ++i)
    y = take(y, std::int64_t(i) + 2, w.begin[i], 1, image[i]);
  return {y};
}

constexpr Converter kConverters[] = {
    {"AffineGrid", convert_affine_grid},
    {"CenterCropPad", convert_center_crop_pad},
    {"Col2Im", convert_col2im},
    {"DeformConv", convert_deform_conv},
    {"GridSample", convert_grid_sample},
    {"RoiAlign", convert_roi_align},
};

}  // namespace

std::span<const Converter> image_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
