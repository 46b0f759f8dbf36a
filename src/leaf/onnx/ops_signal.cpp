#include <weir/ops/linalg.h>

#include <cmath>
#include <numbers>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/helpers.h"
#include "leaf/onnx/windows.h"

namespace weir::onnx_io {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

// -- windows --

// a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N)
Values cosine_window(NodeContext& c, double a0, double a1, double a2) {
  const DType dtype = dtype_of_attr(c, c.i("output_datatype", 1));
  if (!is_constant(c.in(0))) c.unsupported("a length that is no constant");
  const std::int64_t n = c.constant_ints(0).at(0);
  if (n < 0 || n > kMaxTable) c.damaged("a length of " + std::to_string(n));
  const double period = c.flag("periodic", true) ? double(n) : double(n - 1);
  std::vector<double> w;
  for (std::int64_t i = 0; i < n; ++i) {
    const double t = kTwoPi * double(i) / period;
    w.push_back(a0 - a1 * std::cos(t) + a2 * std::cos(2 * t));
  }
  return {cast(Tensor::from(w), dtype)};
}

Values convert_hann(NodeContext& c) {
  return cosine_window(c, 0.5, 0.5, 0);
}
Values convert_hamming(NodeContext& c) {
  return cosine_window(c, 25.0 / 46, 21.0 / 46, 0);
}
Values convert_blackman(NodeContext& c) {
  return cosine_window(c, 0.42, 0.5, 0.08);
}

// -- discrete Fourier transforms, as products with the matrix of roots of one --

constexpr std::int64_t kMaxLength = 8192;

struct Roots {
  Tensor cosines, sines;  // [n, bins]
};

Roots roots_of(std::int64_t n, std::int64_t bins, bool inverse) {
  table_size({n, bins});
  std::vector<double> co, si;
  for (std::int64_t t = 0; t < n; ++t) {
    for (std::int64_t k = 0; k < bins; ++k) {
      const double angle = kTwoPi * double((t * k) % n) / double(n);
      co.push_back(std::cos(angle));
      si.push_back(inverse ? std::sin(angle) : -std::sin(angle));
    }
  }
  const Shape shape{Dim(n), Dim(bins)};
  return {Tensor::from(co, shape), Tensor::from(si, shape)};
}

// The signal's parts [..., n] -> [..., bins, 2].
// Sums of many terms of both signs: in float64.
Tensor transformed(const Tensor& own, const Tensor& own_imaginary, const Roots& r, double scale) {
  const DType result = own.dtype();
  const Tensor real = cast(own, DType::float64);
  Tensor imaginary;
  if (own_imaginary.defined()) imaginary = cast(own_imaginary, DType::float64);
  Tensor re = matmul(real, r.cosines), im = matmul(real, r.sines);
  if (imaginary.defined()) {
    re = re - matmul(imaginary, r.sines);
    im = im + matmul(imaginary, r.cosines);
  }
  const Tensor y = stack({re, im}, -1);
  return cast(scale == 1 ? y : y * scale, result);
}

// Cut or filled with zeros along the last axis.
Tensor of_length(const NodeContext& c, const Tensor& x, std::int64_t n) {
  const std::int64_t own = known_dim(c, x, -1), axis = x.rank() - 1;
  if (own > n) return take(x, axis, 0, 1, n);
  List rows(2 * static_cast<std::size_t>(x.rank()), 0);
  rows.back() = n - own;
  return own == n ? x : pad(x, rows);
}

Tensor part_of(const Tensor& x, std::int64_t i) {
  return squeeze(take(x, x.rank() - 1, i, 1, 1), -1);
}

// The signal of n bins of which the second half mirrors the first.
Tensor completed(const Tensor& x, std::int64_t n) {
  const std::int64_t axis = x.rank() - 2, bins = x.dim(int(axis)), more = n - bins;
  if (more <= 0) return x;
  const Tensor tail = reverse(take(x, axis, 1, 1, more), axis);
  const Tensor conjugated = stack({part_of(tail, 0), -part_of(tail, 1)}, -1);
  return concat({x, conjugated}, axis);
}

Values convert_dft(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t rank = c.rank(0);
  std::int64_t axis = c.opset() >= 20 ? -2 : c.i("axis", 1);
  if (c.opset() >= 20 && c.has(2)) axis = c.constant_ints(2).at(0);
  axis = check_axis(c, axis, rank);
  const bool inverse = c.flag("inverse"), onesided = c.flag("onesided");
  const std::int64_t parts = known_dim(c, x, rank - 1);
  if (axis == rank - 1 || parts < 1 || parts > 2) c.damaged("its last axis");
  // [..., signal, parts] with the signal's axis last but one
  const List order = moved_axis(rank, axis, rank - 2);
  Tensor moved = transpose(x, order);
  std::int64_t n = known_dim(c, moved, rank - 2);
  const bool given = c.has(1);
  if (given) n = c.constant_ints(1).at(0);
  if (inverse && onesided && !given) n = 2 * (n - 1);
  if (n < 1 || n > kMaxLength) c.unsupported("a transform of " + std::to_string(n) + " elements");
  if (inverse && onesided) moved = completed(take(moved, rank - 2, 0, 1, n / 2 + 1), n);
  const Tensor real = of_length(c, part_of(moved, 0), n);
  const Tensor imaginary = parts == 2 ? of_length(c, part_of(moved, 1), n) : Tensor();
  const std::int64_t bins = onesided && !inverse ? n / 2 + 1 : n;
  Tensor y =
      transformed(real, imaginary, roots_of(n, bins, inverse), inverse ? 1.0 / double(n) : 1.0);
  if (inverse && onesided) y = expand_dims(part_of(y, 0), -1);
  List back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return {transpose(y, back)};
}

Values convert_stft(NodeContext& c) {
  const Tensor& x = c.in(0);
  if (c.rank(0) < 2) c.damaged("a signal without batch");
  const std::int64_t step = c.constant_ints(1).at(0), n = known_dim(c, x, 1);
  std::int64_t length = c.has(3) ? c.constant_ints(3).at(0) : 0;
  if (c.has(2) && length == 0) length = known_dim(c, c.in(2), 0);
  if (step < 1 || length < 1 || length > n || length > kMaxLength) c.damaged("its frames");
  const std::int64_t frames = (n - length) / step + 1;
  table_size({frames, length});
  List at;
  for (std::int64_t f = 0; f < frames; ++f) {
    for (std::int64_t i = 0; i < length; ++i)
      at.push_back(f * step + i);
  }
  const Tensor places = Tensor::from(at, Shape{Dim(frames), Dim(length)});
  const bool complex = c.rank(0) == 3 && known_dim(c, x, 2) == 2;
  const auto framed = [&](std::int64_t part) {
    const Tensor signal = c.rank(0) == 3 ? part_of(x, part) : x;
    const Tensor cut = gather(signal, places, 1);
    return c.has(2) ? cut * c.in(2) : cut;
  };
  const std::int64_t bins = c.flag("onesided", true) ? length / 2 + 1 : length;
  return {transformed(framed(0), complex ? framed(1) : Tensor(), roots_of(length, bins, false), 1)};
}

// -- filters that are evenly spaced in mel --

double to_mel(double hertz) {
  return 2595 * std::log10(1 + hertz / 700);
}
double from_mel(double mel) {
  return 700 * (std::pow(10, mel / 2595) - 1);
}

Values convert_mel_weights(NodeContext& c) {
  for (std::size_t i = 0; i < 5; ++i) {
    if (!is_constant(c.in(i))) c.unsupported("operands that are no constants");
  }
  const std::int64_t filters = c.in(0).item<std::int64_t>(), length = c.in(1).item<std::int64_t>();
  const double rate = c.in(2).item<double>(), low = c.in(3).item<double>();
  const double high = c.in(4).item<double>();
  const std::int64_t bins = length / 2 + 1;
  if (filters < 1 || length < 1 || filters > (1 << 14) || length > (1 << 16))
    c.damaged("its sizes");
  table_size({bins, filters});
  std::vector<std::int64_t> edges;
  for (std::int64_t i = 0; i < filters + 2; ++i) {
    const double step = (to_mel(high) - to_mel(low)) / double(filters + 2);
    edges.push_back(std::int64_t(
        std::floor(double(length + 1) * from_mel(double(i) * step + to_mel(low)) / rate)));
  }
  std::vector<double> w(static_cast<std::size_t>(bins * filters), 0);
  for (std::int64_t f = 0; f < filters; ++f) {
    const std::int64_t a = edges[std::size_t(f)], b = edges[std::size_t(f + 1)];
    const std::int64_t e = edges[std::size_t(f + 2)];
    for (std::int64_t k = std::max<std::int64_t>(a, 0); k <= e && k < bins; ++k) {
      double v = 0;
      if (k <= b) v = b == a ? 1 : double(k - a) / double(b - a);
      if (k >= b && e != b && k < e) v = double(e - k) / double(e - b);
      w[static_cast<std::size_t>(k * filters + f)] = v;
    }
  }
  const DType dtype = dtype_of_attr(c, c.i("output_datatype", 1));
  return {cast(Tensor::from(w, Shape{Dim(bins), Dim(filters)}), dtype)};
}

constexpr Converter kConverters[] = {
    {"BlackmanWindow", convert_blackman},
    {"DFT", convert_dft},
    {"HammingWindow", convert_hamming},
    {"HannWindow", convert_hann},
    {"MelWeightMatrix", convert_mel_weights},
    {"STFT", convert_stft},
};

}  // namespace

std::span<const Converter> signal_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
