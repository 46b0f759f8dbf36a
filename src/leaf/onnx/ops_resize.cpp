#include <algorithm>
#include <cmath>
#include <limits>

#include "io/file/file.h"
#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

// How one axis is resampled.
struct Axis {
  std::int64_t in = 0, out = 0;
  double scale = 1;
  double roi_begin = 0, roi_end = 1;
};

struct Method {
  std::string mode;         // nearest, linear, cubic
  std::string coordinates;  // where an output's centre lies in the input
  std::string nearest;
  double cubic = -0.75;
  bool exclude_outside = false;
  bool antialias = false;
};

double source_of(const Method& m, const Axis& a, std::int64_t at) {
  const double x = double(at), in = double(a.in), out = double(a.out);
  if (m.coordinates == "asymmetric") return x / a.scale;
  if (m.coordinates == "align_corners") {
    // The length before it was rounded down.
    const double length = a.scale * in;
    return length <= 1 ? 0 : x * (in - 1) / (length - 1);
  }
  if (m.coordinates == "pytorch_half_pixel") return out <= 1 ? 0 : (x + 0.5) / a.scale - 0.5;
  if (m.coordinates == "half_pixel_symmetric") {
    const double adjust = out / (a.scale * in);
    const double offset = in / 2 * (1 - adjust);
    return offset + (x + 0.5) / a.scale - 0.5;
  }
  if (m.coordinates == "tf_crop_and_resize") {
    if (out <= 1) return 0.5 * (a.roi_begin + a.roi_end) * (in - 1);
    return a.roi_begin * (in - 1) + x * (a.roi_end - a.roi_begin) * (in - 1) / (out - 1);
  }
  if (m.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  return (x + 0.5) / a.scale - 0.5;  // half_pixel
}

double round_nearest(const Method& m, double x) {
  if (m.nearest == "floor") return std::floor(x);
  if (m.nearest == "ceil") return std::ceil(x);
  if (m.nearest == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);
}

double kernel(const Method& m, double x) {
  x = std::abs(x);
  if (m.mode == "linear") return std::max(1 - x, 0.0);
  const double a = m.cubic;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

// The inputs that an output is made of, and their weights: tap k of output o is at o * taps + k.
struct Taps {
  std::int64_t taps = 1;
  List from;
  std::vector<double> weight;
};

Taps nearest_taps(const Method& m, const Axis& a) {
  Taps t;
  for (std::int64_t o = 0; o < a.out; ++o) {
    const double at = round_nearest(m, source_of(m, a, o));
    t.from.push_back(std::int64_t(std::clamp(at, 0.0, double(a.in - 1))));
    t.weight.push_back(1);
  }
  return t;
}

Taps weighted_taps(const Method& m, const Axis& a) {
  const double widening = m.antialias && a.scale < 1 ? 1 / a.scale : 1;
  const double reach = (m.mode == "linear" ? 1 : 2) * widening;
  Taps t;
  t.taps = 2 * std::int64_t(std::ceil(std::min(reach, 1e6)));
  table_size({a.out, t.taps});
  for (std::int64_t o = 0; o < a.out; ++o) {
    const double x = source_of(m, a, o);
    const auto first = std::int64_t(std::floor(x)) - t.taps / 2 + 1;
    double total = 0;
    const std::size_t begin = t.weight.size();
    for (std::int64_t k = 0; k < t.taps; ++k) {
      const std::int64_t at = first + k;
      double w = kernel(m, (double(at) - x) / widening);
      if (m.exclude_outside && (at < 0 || at >= a.in)) w = 0;
      t.from.push_back(std::clamp<std::int64_t>(at, 0, a.in - 1));
      t.weight.push_back(w);
      total += w;
    }
    for (std::size_t k = begin; k < t.weight.size() && total != 0; ++k)
      t.weight[k] /= total;
  }
  return t;
}

// A node for each tap.
constexpr std::int64_t kMaxTaps = 256;

Tensor resampled(const Tensor& x, std::int64_t axis, const Taps& t, std::int64_t out) {
  List dims(static_cast<std::size_t>(x.rank()), 1);
  dims[static_cast<std::size_t>(axis)] = out;
  Tensor total;
  for (std::int64_t k = 0; k < t.taps; ++k) {
    List from;
    std::vector<double> weight;
    for (std::int64_t o = 0; o < out; ++o) {
      from.push_back(t.from[std::size_t(o * t.taps + k)]);
      weight.push_back(t.weight[std::size_t(o * t.taps + k)]);
    }
    Tensor part = gather(x, Tensor::from(from), axis);
    if (t.taps > 1) {
      Tensor factor;
      {
        const InitScope now;
        factor = cast(Tensor::from(weight, Shape(dims)), x.dtype());
      }
      part = part * factor;
    }
    total = total.defined() ? total + part : part;
  }
  return total;
}

Tensor resize_axis(const Method& m, const Tensor& x, std::int64_t axis, const Axis& a) {
  table_size({a.out});
  const Taps t = m.mode == "nearest" ? nearest_taps(m, a) : weighted_taps(m, a);
  if (t.taps > kMaxTaps) io::fail(Code::unimplemented, "so strong a reduction with antialias");
  return resampled(x, axis, t, a.out);
}

std::vector<double> constant_numbers(NodeContext& c, std::size_t i) {
  if (!is_constant(c.in(i))) c.unsupported("scales that are no constants");
  const InitScope now;
  const Tensor t = cast(c.in(i), DType::float64);
  const auto data = t.data<double>();
  return {data.begin(), data.end()};
}

// Sizes keep the ratio of the sides if the policy says so.
void keep_ratio(const std::string& policy, std::vector<Axis>& axes) {
  if (policy == "stretch") return;
  double scale = policy == "not_larger" ? std::numeric_limits<double>::infinity() : 0;
  for (const Axis& a : axes)
    scale = policy == "not_larger" ? std::min(scale, a.scale) : std::max(scale, a.scale);
  for (Axis& a : axes) {
    a.scale = scale;
    a.out = std::int64_t(std::floor(scale * double(a.in) + 0.5));
  }
}

std::vector<Axis> resize_axes(NodeContext& c,
                              const List& axes,
                              std::size_t scales,
                              std::size_t sizes) {
  std::vector<Axis> list;
  std::vector<double> given;
  const bool by_size = sizes != 0 && c.has(sizes) && c.in(sizes).size() != 0;
  given = constant_numbers(c, by_size ? sizes : scales);
  if (given.size() != axes.size()) c.damaged("scales or sizes that do not fit the axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Axis a;
    a.in = known_dim(c, c.in(0), axes[i]);
    if (!(given[i] > 0) || given[i] > 1e9 || a.in < 1) c.damaged("a scale or size");
    a.scale = by_size ? given[i] / double(a.in) : given[i];
    const double out = by_size ? given[i] : std::floor(double(a.in) * given[i]);
    if (out > 1e8) c.damaged("a size beyond 10^8");
    a.out = std::int64_t(out);
    list.push_back(a);
  }
  if (by_size) keep_ratio(c.s("keep_aspect_ratio_policy", "stretch"), list);
  return list;
}

void read_roi(NodeContext& c, std::vector<Axis>& axes) {
  if (!c.has(1) || c.in(1).size() == 0) c.damaged("a region is missing");
  const std::vector<double> roi = constant_numbers(c, 1);
  if (roi.size() != 2 * axes.size()) c.damaged("a region that does not fit the axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    axes[i].roi_begin = roi[i];
    axes[i].roi_end = roi[i + axes.size()];
  }
}

// Outputs whose centre lies outside the input get a value of their own.
Tensor with_outside(NodeContext& c,
                    const Method& m,
                    const Tensor& y,
                    const List& axes,
                    const std::vector<Axis>& list) {
  Tensor result = y;
  const Tensor value = cast(Tensor(c.f("extrapolation_value", 0)), y.dtype());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::vector<bool> inside;
    for (std::int64_t o = 0; o < list[i].out; ++o) {
      const double x = source_of(m, list[i], o);
      inside.push_back(x >= 0 && x <= double(list[i].in - 1));
    }
    List dims(static_cast<std::size_t>(y.rank()), 1);
    dims[static_cast<std::size_t>(axes[i])] = list[i].out;
    result = where(Tensor::from(inside, Shape(dims)), result, value);
  }
  return result;
}

Tensor resize(NodeContext& c, const Method& m, const List& axes, const std::vector<Axis>& list) {
  const DType own = c.in(0).dtype();
  const bool exact = m.mode == "nearest" || (is_floating(own) && !is_narrow(own));
  Tensor y = exact ? c.in(0) : cast(c.in(0), DType::float32);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& a = list[i];
    const bool same = a.in == a.out && a.scale == 1 && m.coordinates != "tf_crop_and_resize";
    if (!same) y = resize_axis(m, y, axes[i], a);
  }
  if (m.coordinates == "tf_crop_and_resize") y = with_outside(c, m, y, axes, list);
  if (exact) return y;
  return is_integer(own) ? saturate_cast(rint(y), own) : cast(y, own);
}

Values convert_resize(NodeContext& c) {
  Method m;
  m.mode = c.s("mode", "nearest");
  if (m.mode == "bilinear") m.mode = "linear";
  m.coordinates =
      c.s("coordinate_transformation_mode", c.opset() < 11 ? "asymmetric" : "half_pixel");
  m.nearest = c.s("nearest_mode", c.opset() < 11 ? "floor" : "round_prefer_floor");
  m.cubic = c.f("cubic_coeff_a", -0.75f);
  m.exclude_outside = c.flag("exclude_outside");
  m.antialias = c.flag("antialias");
  const std::int64_t rank = c.rank(0);
  const List axes = c.has_attr("axes") ? check_axes(c, c.ints("axes"), rank) : iota(rank);
  const bool new_form = c.opset() >= 11;
  std::vector<Axis> list = resize_axes(c, axes, new_form ? 2 : 1, new_form ? 3 : 0);
  if (m.coordinates == "tf_crop_and_resize") read_roi(c, list);
  return {resize(c, m, axes, list)};
}

Values convert_upsample(NodeContext& c) {
  Method m;
  m.mode = c.s("mode", "nearest");
  m.coordinates = "asymmetric";
  m.nearest = "floor";
  const List axes = iota(c.rank(0));
  std::vector<Axis> list;
  if (c.opset() >= 9) {
    list = resize_axes(c, axes, 1, 0);
  } else {
    const std::vector<float> scales = c.floats("scales");
    if (scales.size() != axes.size()) c.damaged("the attribute 'scales'");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::int64_t in = known_dim(c, c.in(0), axes[i]);
      if (!(scales[i] > 0) || scales[i] > 1e6f) c.damaged("the attribute 'scales'");
      list.push_back({in, std::int64_t(std::floor(double(in) * scales[i])), scales[i]});
    }
  }
  return {resize(c, m, axes, list)};
}

constexpr Converter kConverters[] = {
    {"Resize", convert_resize, 10},
    {"Upsample", convert_upsample},
};

}  // namespace

std::span<const Converter> resize_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
