/// Convolutions as loops, each output accumulated in float64 over filter rows, columns, channels,
/// in order.
#include "kernels/scalar/conv.h"

#include <algorithm>

#include "kernels/ref/wide.h"

namespace weir::kernels::ref {
namespace {

template <bool depthwise>
struct Forward {
  static constexpr const char* kOp = depthwise ? "DepthwiseConv2dNative" : "Conv2D";
};
template <bool depthwise>
struct ToInput {
  static constexpr const char* kOp =
      depthwise ? "DepthwiseConv2dNativeBackpropInput" : "Conv2DBackpropInput";
};
template <bool depthwise>
struct ToFilter {
  static constexpr const char* kOp =
      depthwise ? "DepthwiseConv2dNativeBackpropFilter" : "Conv2DBackpropFilter";
};

/// Positions in the three arrays of a convolution.
struct Index {
  const ConvShape& s;

  std::int64_t input(std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) const {
    return ((n * s.y.in + y) * s.x.in + x) * s.in_channels + c;
  }
  std::int64_t output(std::int64_t n, std::int64_t y, std::int64_t x, std::int64_t c) const {
    return ((n * s.y.out + y) * s.x.out + x) * s.out_channels + c;
  }
  std::int64_t filter(std::int64_t y, std::int64_t x, std::int64_t c, std::int64_t o) const {
    return ((y * s.x.filter + x) * s.group_in() + c) * s.out_channels + o;
  }
};

/// body(tap, cell) for the taps of output `at` that fall on the input.
template <class Body>
void taps(const ConvAxis& a, std::int64_t at, Body&& body) {
  for (std::int64_t tap = 0; tap < a.filter; ++tap) {
    const std::int64_t cell = a.cell(at, tap);
    if (cell >= 0 && cell < a.in) body(tap, cell);
  }
}

/// body(tap, at) for the outputs that read input `cell`.
template <class Body>
void readers(const ConvAxis& a, std::int64_t cell, Body&& body) {
  for (std::int64_t tap = 0; tap < a.filter; ++tap) {
    const std::int64_t shifted = cell + a.before - tap * a.dilation;
    if (shifted >= 0 && shifted % a.stride == 0 && shifted / a.stride < a.out)
      body(tap, shifted / a.stride);
  }
}

template <class T>
double output_at(const ConvShape& s,
                 const T* x,
                 const T* w,
                 std::int64_t n,
                 std::int64_t i,
                 std::int64_t j,
                 std::int64_t o) {
  const Index at{s};
  const std::int64_t first = o / s.group_out() * s.group_in();
  double sum = 0;
  taps(s.y, i, [&](std::int64_t fy, std::int64_t y) {
    taps(s.x, j, [&](std::int64_t fx, std::int64_t xx) {
      for (std::int64_t c = 0; c < s.group_in(); ++c)
        sum += widen(x[at.input(n, y, xx, first + c)]) * widen(w[at.filter(fy, fx, c, o)]);
    });
  });
  return sum;
}

template <class T>
double input_gradient_at(const ConvShape& s,
                         const T* w,
                         const T* dy,
                         std::int64_t n,
                         std::int64_t y,
                         std::int64_t x,
                         std::int64_t c) {
  const Index at{s};
  const std::int64_t first = c / s.group_in() * s.group_out();
  double sum = 0;
  readers(s.y, y, [&](std::int64_t fy, std::int64_t i) {
    readers(s.x, x, [&](std::int64_t fx, std::int64_t j) {
      for (std::int64_t o = first; o < first + s.group_out(); ++o)
        sum += widen(dy[at.output(n, i, j, o)]) * widen(w[at.filter(fy, fx, c % s.group_in(), o)]);
    });
  });
  return sum;
}

template <class T>
double filter_gradient_at(const ConvShape& s,
                          const T* x,
                          const T* dy,
                          std::int64_t fy,
                          std::int64_t fx,
                          std::int64_t c,
                          std::int64_t o) {
  const Index at{s};
  const std::int64_t channel = o / s.group_out() * s.group_in() + c;
  double sum = 0;
  for (std::int64_t n = 0; n < s.batch; ++n) {
    for (std::int64_t i = 0; i < s.y.out; ++i) {
      const std::int64_t y = s.y.cell(i, fy);
      if (y < 0 || y >= s.y.in) continue;
      for (std::int64_t j = 0; j < s.x.out; ++j) {
        const std::int64_t xx = s.x.cell(j, fx);
        if (xx >= 0 && xx < s.x.in)
          sum += widen(x[at.input(n, y, xx, channel)]) * widen(dy[at.output(n, i, j, o)]);
      }
    }
  }
  return sum;
}

/// out[i] = value(a, b, c, d) for all indices of four nested axes.
template <class T, class Value>
void for_each(T* out, const std::int64_t (&dims)[4], Value&& value) {
  for (std::int64_t a = 0; a < dims[0]; ++a)
    for (std::int64_t b = 0; b < dims[1]; ++b)
      for (std::int64_t c = 0; c < dims[2]; ++c)
        for (std::int64_t d = 0; d < dims[3]; ++d)
          *out++ = narrow<T>(value(a, b, c, d));
}

ConvShape shape_of(bool depthwise,
                   const rt::View& input,
                   const rt::View& filter,
                   const rt::Attr* attrs,
                   int first) {
  return depthwise ? depthwise_shape(input, filter, attrs, first)
                   : conv_shape(input, filter, attrs, first);
}

using I = std::int64_t;

template <bool depthwise, class T>
Status run(Forward<depthwise>, const rt::KernelCall& c) {
  const ConvShape s = shape_of(depthwise, c.in[0], c.in[1], c.attrs, 0);
  const T *x = c.in[0].as<T>(), *w = c.in[1].as<T>();
  for_each(c.out[0].as<T>(), {s.batch, s.y.out, s.x.out, s.out_channels}, [&](I n, I i, I j, I o) {
    return output_at(s, x, w, n, i, j, o);
  });
  return {};
}

template <bool depthwise, class T>
Status run(ToInput<depthwise>, const rt::KernelCall& c) {
  const ConvShape s = shape_of(depthwise, c.out[0], c.in[0], c.attrs, 1);
  const T *w = c.in[0].as<T>(), *dy = c.in[1].as<T>();
  for_each(c.out[0].as<T>(), {s.batch, s.y.in, s.x.in, s.in_channels}, [&](I n, I y, I x, I ch) {
    return input_gradient_at(s, w, dy, n, y, x, ch);
  });
  return {};
}

template <bool depthwise, class T>
Status run(ToFilter<depthwise>, const rt::KernelCall& c) {
  const ConvShape s = shape_of(depthwise, c.in[0], c.out[0], c.attrs, 1);
  const T *x = c.in[0].as<T>(), *dy = c.in[1].as<T>();
  if (c.in[0].size() == 0) {
    std::fill_n(c.out[0].as<T>(), c.out[0].size(), narrow<T>(0.0));
    return {};
  }
  for_each(c.out[0].as<T>(),
           {s.y.filter, s.x.filter, s.group_in(), s.out_channels},
           [&](I fy, I fx, I ch, I o) { return filter_gradient_at(s, x, dy, fy, fx, ch, o); });
  return {};
}

template <class Op, class T>
Status run_conv(const rt::KernelCall& c) {
  return run < std::is_same_v<Op, Forward<true>> || std::is_same_v<Op, ToInput<true>> ||
             std::is_same_v<Op, ToFilter<true>>,
         T > (Op{}, c);
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> kernels(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .run = run_conv<Op, Ts>}...};
}

}  // namespace

rt::KernelTable conv_kernels() {
  static const auto table = concatenate(kernels<Forward<false>>(Floating{}),
                                        kernels<ToInput<false>>(Floating{}),
                                        kernels<ToFilter<false>>(Floating{}),
                                        kernels<Forward<true>>(Floating{}),
                                        kernels<ToInput<true>>(Floating{}),
                                        kernels<ToFilter<true>>(Floating{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
