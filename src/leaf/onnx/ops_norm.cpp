#include <weir/nn.h>
#include <weir/ops/nn.h>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/windows.h"

namespace weir::onnx_io {
namespace {

// [c] -> [c, 1, 1 ...], to broadcast against [n, c, spatial...].
Tensor per_channel(const Tensor& v, std::int64_t rank) {
  List dims(static_cast<std::size_t>(rank) - 1, 1);
  dims[0] = -1;
  return reshape(v, dims);
}

Tensor normalized(const Tensor& x, const List& axes, double epsilon) {
  const Moments m = moments(x, axes, true);
  return (x - m.mean) * rsqrt(m.variance + epsilon);
}

// -- batch --

Values batch_inference(NodeContext& c, double epsilon) {
  const Tensor& x = c.in(0);
  const std::int64_t rank = c.rank(0);
  // Parameters that are constants become one factor and one offset.
  const Tensor factor = c.in(1) * rsqrt(c.in(4) + epsilon);
  const Tensor offset = c.in(2) - c.in(3) * factor;
  return {x * cast(per_channel(factor, rank), x.dtype()) +
          cast(per_channel(offset, rank), x.dtype())};
}

Values convert_batch_norm(NodeContext& c) {
  const double epsilon = c.f("epsilon", 1e-5f), momentum = c.f("momentum", 0.9f);
  const std::int64_t rank = c.rank(0);
  if (rank < 2) c.damaged("an input without channels");
  if (!c.flag("training_mode")) {
    bool constant = true;
    for (std::size_t i = 1; i < 5; ++i)
      constant = constant && is_constant(c.in(i));
    if (!constant) return batch_inference(c, epsilon);
    const Tensor& x = c.in(0);
    Tensor factor, offset;
    {
      const InitScope now;
      factor = c.in(1) * rsqrt(c.in(4) + epsilon);
      offset = per_channel(c.in(2) - c.in(3) * factor, rank);
      factor = per_channel(factor, rank);
      factor = cast(factor, x.dtype());
      offset = cast(offset, x.dtype());
    }
    return {in_layout(add, in_layout(multiply, x, factor), offset)};
  }
  const Tensor& x = c.in(0);
  List axes = iota(rank);
  axes.erase(axes.begin() + 1);
  const Moments m = moments(x, axes);
  const Tensor y =
      (x - per_channel(m.mean, rank)) * per_channel(c.in(1) * rsqrt(m.variance + epsilon), rank) +
      per_channel(c.in(2), rank);
  return {y,
          c.in(3) * momentum + m.mean * (1 - momentum),
          c.in(4) * momentum + m.variance * (1 - momentum)};
}

// -- instances, groups, layers --

Values convert_instance_norm(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t rank = c.rank(0);
  if (rank < 3) c.damaged("an input without spatial axes");
  const Tensor y = normalized(x, iota(rank - 2, 2), c.f("epsilon", 1e-5f));
  return {y * per_channel(c.in(1), rank) + per_channel(c.in(2), rank)};
}

Values convert_group_norm(NodeContext& c) {
  const Tensor& x = c.in(0);
  const List dims = known_dims(c, x);
  const std::int64_t groups = c.i("num_groups"), rank = c.rank(0);
  if (rank < 2 || groups < 1 || dims[1] % groups != 0) c.damaged("its number of groups");
  List parts = {dims[0], groups, dims[1] / groups};
  parts.insert(parts.end(), dims.begin() + 2, dims.end());
  const Tensor grouped = reshape(x, parts);
  Tensor y = normalized(grouped, iota(rank - 1, 2), c.f("epsilon", 1e-5f));
  Tensor scale = c.in(1), bias = c.in(2);
  if (c.opset() < 21) {  // one number a group
    List each(static_cast<std::size_t>(rank) + 1, 1);
    each[1] = groups;
    y = y * reshape(scale, each) + reshape(bias, each);
    return {reshape(y, dims)};
  }
  return {reshape(y, dims) * per_channel(scale, rank) + per_channel(bias, rank)};
}

// The dtype that a normalisation computes in.
DType stash_type(NodeContext& c) {
  return dtype_of_attr(c, c.i("stash_type", 1));
}

Values convert_layer_norm(NodeContext& c) {
  const DType own = c.in(0).dtype(), stash = own == DType::float64 ? own : stash_type(c);
  const Tensor x = own == stash ? c.in(0) : cast(c.in(0), stash);
  const std::int64_t rank = c.rank(0), axis = check_axis(c, c.i("axis", -1), rank);
  const Moments m = moments(x, iota(rank - axis, axis), true);
  const Tensor inverse = rsqrt(m.variance + double(c.f("epsilon", 1e-5f)));
  Tensor y = (x - m.mean) * inverse;
  if (own != stash) y = cast(y, own);
  y = y * c.in(1);
  if (c.has(2)) y = y + c.in(2);
  return {y, m.mean, inverse};
}

Values convert_rms_norm(NodeContext& c) {
  const DType own = c.in(0).dtype(), stash = own == DType::float64 ? own : stash_type(c);
  const Tensor x = own == stash ? c.in(0) : cast(c.in(0), stash);
  const std::int64_t rank = c.rank(0), axis = check_axis(c, c.i("axis", -1), rank);
  const Tensor power = mean(square(x), iota(rank - axis, axis), true);
  Tensor y = x * rsqrt(power + double(c.f("epsilon", 1e-5f)));
  if (own != stash) y = cast(y, own);
  return {y * c.in(1)};
}

Values convert_lp_norm(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t axis = check_axis(c, c.i("axis", -1), c.rank(0)), p = c.i("p", 2);
  if (p != 1 && p != 2) c.damaged("the attribute 'p'");
  const Tensor length = p == 1 ? sum(abs(x), axis, true) : sqrt(sum(square(x), axis, true));
  return {divide_no_nan(x, length)};
}

Values convert_mean_variance_norm(NodeContext& c) {
  const Tensor& x = c.in(0);
  const List axes = check_axes(c, c.ints("axes", {0, 2, 3}), c.rank(0));
  const Moments m = moments(x, axes, true);
  return {(x - m.mean) / (sqrt(m.variance) + 1e-9)};
}

// Divided by a power of the squares of the channels around.
Values convert_lrn(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t size = c.i("size"), channels = known_dim(c, x, 1);
  if (size < 1 || size > 4 * channels + 4) c.damaged("the attribute 'size'");
  check_taps(c, size);
  const double alpha = c.f("alpha", 1e-4f), beta = c.f("beta", 0.75f), bias = c.f("bias", 1);
  List rows(2 * static_cast<std::size_t>(c.rank(0)), 0);
  rows[2] = (size - 1) / 2;
  rows[3] = size - 1 - rows[2];
  const Tensor squares = pad(square(x), rows);
  Tensor total;
  for (std::int64_t k = 0; k < size; ++k) {
    const std::int64_t open = 1;
    const Tensor part =
        strided_slice(squares, List{0, k}, List{0, k + channels}, List{1, 1}, open, open);
    total = total.defined() ? total + part : part;
  }
  const Tensor base = total * (alpha / double(size)) + bias;
  return {x / pow(base, cast(Tensor(beta), x.dtype()))};
}

constexpr Converter kConverters[] = {
    {"BatchNormalization", convert_batch_norm, 9},
    {"GroupNormalization", convert_group_norm, 18},
    {"InstanceNormalization", convert_instance_norm},
    {"LRN", convert_lrn},
    {"LayerNormalization", convert_layer_norm},
    {"LpNormalization", convert_lp_norm},
    {"MeanVarianceNormalization", convert_mean_variance_norm},
    {"RMSNormalization", convert_rms_norm},
};

}  // namespace

std::span<const Converter> norm_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
