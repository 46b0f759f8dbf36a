#pragma once

/// The geometry of a convolution or pooling, read from the attributes of a call; the same for every
/// provider.

#include "base/window.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {

/// One spatial axis.
struct ConvAxis {
  std::int64_t in = 0, out = 0, filter = 1, stride = 1, dilation = 1, before = 0, after = 0;

  /// Input cell that tap `tap` of output `at` reads; outside [0, in): padding.
  constexpr std::int64_t cell(std::int64_t at, std::int64_t tap) const {
    return at * stride + tap * dilation - before;
  }
};

struct ConvShape {
  std::int64_t batch = 0, in_channels = 0, out_channels = 0, groups = 1;
  ConvAxis y, x;

  std::int64_t group_in() const { return in_channels / groups; }
  std::int64_t group_out() const { return out_channels / groups; }
};

/// One axis of a window whose attributes are `strides`, `padding`, `paddings` (may be null),
/// `dilations` (may be null).
inline ConvAxis conv_axis(int axis,
                          std::int64_t in,
                          std::int64_t filter,
                          const rt::Attr& strides,
                          const rt::Attr& padding,
                          const rt::Attr* paddings,
                          const rt::Attr* dilations) {
  ConvAxis a{.in = in,
             .filter = filter,
             .stride = strides.ints[axis],
             .dilation = dilations ? dilations->ints[axis] : 1};
  const base::Padding kind = base::padding_of(padding.s);
  const bool given = kind == base::Padding::given && paddings;
  const base::Extent e = base::slide(in,
                                     {a.filter, a.stride, a.dilation},
                                     kind,
                                     given ? paddings->ints[2 * axis] : 0,
                                     given ? paddings->ints[2 * axis + 1] : 0);
  a.out = e.out;
  a.before = e.before;
  a.after = e.after;
  return a;
}

/// `first`: index of the attribute `strides` of the convolution ops.
inline ConvShape conv_shape(const rt::View& input,
                            const rt::View& filter,
                            const rt::Attr* attrs,
                            int first) {
  const rt::Attr &strides = attrs[first], &padding = attrs[first + 1];
  ConvShape s;
  s.batch = input.dims[0];
  s.in_channels = input.dims[3];
  s.out_channels = filter.dims[3];
  s.groups = filter.dims[2] > 0 && s.in_channels > 0 ? s.in_channels / filter.dims[2] : 1;
  s.y = conv_axis(
      1, input.dims[1], filter.dims[0], strides, padding, &attrs[first + 2], &attrs[first + 4]);
  s.x = conv_axis(
      2, input.dims[2], filter.dims[1], strides, padding, &attrs[first + 2], &attrs[first + 4]);
  return s;
}

/// A depthwise filter [height, width, in, multiplier] is one of `in` groups in the same memory.
inline ConvShape depthwise_shape(const rt::View& input,
                                 const rt::View& filter,
                                 const rt::Attr* attrs,
                                 int first) {
  ConvShape s = conv_shape(input, filter, attrs, first);
  s.groups = s.in_channels > 0 ? s.in_channels : 1;
  s.out_channels = s.in_channels * filter.dims[3];
  return s;
}

}  // namespace weir::kernels::WEIR_ISA
