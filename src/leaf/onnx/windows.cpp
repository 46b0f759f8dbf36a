#include "leaf/onnx/windows.h"

#include <algorithm>

#include "io/file/file.h"

namespace weir::onnx_io {
namespace {

constexpr std::int64_t kMaxWindow = std::int64_t{1} << 31;

List positive_ints(const NodeContext& c, std::string_view name, std::size_t count) {
  List list = c.ints(name, List(count, 1));
  const bool good = list.size() == count && std::all_of(list.begin(), list.end(), [](auto v) {
                      return v > 0 && v < kMaxWindow;
                    });
  if (!good) c.damaged("the attribute '" + std::string(name) + "'");
  return list;
}

}  // namespace

Windows read_windows(const NodeContext& c, List sizes) {
  Windows w;
  w.sizes = std::move(sizes);
  const std::size_t n = w.sizes.size();
  for (const std::int64_t size : w.sizes) {
    if (size < 1 || size >= kMaxWindow) c.damaged("a window of size " + std::to_string(size));
  }
  w.strides = positive_ints(c, "strides", n);
  w.dilations = positive_ints(c, "dilations", n);
  const List pads = c.ints("pads", List(2 * n, 0));
  if (pads.size() != 2 * n) c.damaged("the attribute 'pads'");
  for (const std::int64_t p : pads) {
    if (p <= -kMaxWindow || p >= kMaxWindow) c.damaged("the attribute 'pads'");
  }
  w.begin.assign(pads.begin(), pads.begin() + std::ptrdiff_t(n));
  w.end.assign(pads.begin() + std::ptrdiff_t(n), pads.end());
  w.auto_pad = c.s("auto_pad", "NOTSET");
  if (w.auto_pad != "NOTSET") w.begin = w.end = List(n, 0);
  if (w.auto_pad == "VALID") w.auto_pad = "NOTSET";
  return w;
}

void check_spatial(const NodeContext& c, const Tensor& x) {
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (x.dim(axis) >= kMaxWindow) c.unsupported("so large an image");
  }
}

void resolve_padding(const NodeContext& c, const Tensor& x, Windows* w) {
  check_spatial(c, x);
  if (w->auto_pad == "NOTSET") return;
  const bool upper = w->same_upper();
  if (!upper && w->auto_pad != "SAME_LOWER") c.damaged("the attribute 'auto_pad'");
  for (std::size_t i = 0; i < w->axes(); ++i) {
    const std::int64_t in = known_dim(c, x, std::int64_t(i) + 2);
    const std::int64_t out = (in + w->strides[i] - 1) / w->strides[i];
    const std::int64_t total =
        std::max<std::int64_t>((out - 1) * w->strides[i] + w->extent(i) - in, 0);
    w->begin[i] = upper ? total / 2 : total - total / 2;
    w->end[i] = total - w->begin[i];
  }
  w->auto_pad = "NOTSET";
}

void check_taps(const NodeContext& c, std::int64_t size) {
  constexpr std::int64_t kMaxTaps = 1024;
  if (size > kMaxTaps) c.unsupported("a window of more than 1,024 cells");
}

std::int64_t window_count(
    const NodeContext& c, const Windows& w, std::size_t i, std::int64_t size, bool ceil_mode) {
  const std::int64_t room = size + w.begin[i] + w.end[i] - w.extent(i);
  if (room < 0) c.damaged("a window that is larger than the input");
  if (!ceil_mode) return room / w.strides[i] + 1;
  std::int64_t count = (room + w.strides[i] - 1) / w.strides[i] + 1;
  // A window that begins beyond the input and the padding before it does not count.
  if ((count - 1) * w.strides[i] >= size + w.begin[i]) --count;
  return count;
}

Tensor take(
    const Tensor& x, std::int64_t axis, std::int64_t first, std::int64_t step, std::int64_t count) {
  if (axis > 62) io::fail(Code::unimplemented, "more than 62 axes");
  const auto n = static_cast<std::size_t>(axis) + 1;
  List begin(n, 0), end(n, 0), strides(n, 1);
  begin.back() = first;
  end.back() = first + (count - 1) * step + 1;
  strides.back() = step;
  const std::int64_t open = (std::int64_t{1} << axis) - 1;
  return strided_slice(x, begin, end, strides, open, open);
}

}  // namespace weir::onnx_io
