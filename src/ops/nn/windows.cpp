#include "ops/nn/windows.h"

namespace weir::ops::infer {
namespace {

std::span<const std::int64_t> list(const InferContext& c, int attr) {
  const rt::Attr& a = c.attr(attr);
  return {a.ints, a.kind == rt::Attr::Kind::ints ? a.count : 0};
}

/// Four positive numbers, 1 for batch and channels.
void check_list(InferContext& c, int attr) {
  if (attr < 0) return;
  const auto values = list(c, attr);
  const std::string& name = c.op().attrs()[std::size_t(attr)].name;
  if (values.size() != 4)
    c.fail(name + " must be a list of four", Shape(values).to_string(), "[1, height, width, 1]");
  for (std::int64_t v : values) {
    if (v <= 0)
      c.fail(name + " must be positive", Shape(values).to_string(), "[1, height, width, 1]");
  }
  if (values[0] != 1 || values[3] != 1)
    c.fail(name + " of batch and channels must be 1",
           Shape(values).to_string(),
           "[1, height, width, 1]");
}

void check_explicit(InferContext& c, const WindowAttrs& a) {
  const bool given = base::padding_of(c.attr(a.padding).s) == base::Padding::given;
  if (a.explicit_paddings < 0) return;
  const auto pads = list(c, a.explicit_paddings);
  if (!given) {
    if (!pads.empty())
      c.fail(
          "explicit_paddings without padding EXPLICIT", Shape(pads).to_string(), "an empty list");
    return;
  }
  if (pads.size() != 8)
    c.fail(
        "explicit_paddings must be a list of eight", Shape(pads).to_string(), "two for each axis");
  for (std::size_t i = 0; i < 8; ++i) {
    if (pads[i] < 0 || ((i < 2 || i > 5) && pads[i] != 0))
      c.fail("explicit_paddings must be >= 0, and 0 for batch and channels",
             Shape(pads).to_string());
  }
}

base::Window window(InferContext& c, const WindowAttrs& a, int axis, std::int64_t size) {
  return {size,
          list(c, a.strides)[std::size_t(axis)],
          a.dilations < 0 ? 1 : list(c, a.dilations)[std::size_t(axis)]};
}

/// So that places can be computed with; far beyond any memory.
void check_reach(InferContext& c,
                 const base::Window& w,
                 std::int64_t in,
                 std::int64_t before,
                 std::int64_t after) {
  constexpr std::int64_t kMost = std::int64_t(1) << 40;
  const bool spans = w.size <= 1 || w.dilation <= kMost / (w.size - 1);
  if (spans && w.stride <= kMost && in <= kMost && before <= kMost && after <= kMost) return;
  c.fail("the window reaches too far",
         c.describe_inputs() + ", window of " + std::to_string(w.size) + " cells, stride " +
             std::to_string(w.stride) + ", dilation " + std::to_string(w.dilation),
         "2^40 cells at most");
}

}  // namespace

void check_windows(InferContext& c, const WindowAttrs& a) {
  check_list(c, a.sizes);
  check_list(c, a.strides);
  check_list(c, a.dilations);
  check_explicit(c, a);
}

base::Extent extent(
    InferContext& c, const WindowAttrs& a, int axis, std::int64_t in, std::int64_t filter) {
  const base::Padding padding = base::padding_of(c.attr(a.padding).s);
  std::int64_t before = 0, after = 0;
  if (padding == base::Padding::given) {
    before = list(c, a.explicit_paddings)[std::size_t(2 * axis)];
    after = list(c, a.explicit_paddings)[std::size_t(2 * axis + 1)];
  }
  check_reach(c, window(c, a, axis, filter), in, before, after);
  const base::Extent e = base::slide(in, window(c, a, axis, filter), padding, before, after);
  if (e.out < 0)
    c.fail("negative dimension size: the window is larger than the input",
           c.describe_inputs() + ", axis " + std::to_string(axis) + ": window " +
               std::to_string(window(c, a, axis, filter).reach()) + " over " + std::to_string(in) +
               " cells",
           "a window that fits",
           "pass padding \"SAME\", or a larger input");
  return e;
}

Dim slide(InferContext& c, const WindowAttrs& a, int axis, Dim in, Dim filter) {
  if (!in.known() || !filter.known()) {
    const bool same = base::padding_of(c.attr(a.padding).s) == base::Padding::same;
    return same && list(c, a.strides)[std::size_t(axis)] == 1 ? in : Dim::unknown();
  }
  return Dim(extent(c, a, axis, in.value(), filter.value()).out);
}

}  // namespace weir::ops::infer
