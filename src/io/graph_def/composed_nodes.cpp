/// Nodes that are several ops of Weir.
#include <weir/functions.h>
#include <weir/linalg.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/node_reader.h"

namespace weir::io {
namespace {

bool flag(const NodeCall& call, const char* name) {
  const proto::AttrValue* value = find_attr(call.def, name);
  return value != nullptr && value->b();
}

Values convert_einsum(const NodeCall& call) {
  const proto::AttrValue* equation = find_attr(call.def, "equation");
  if (equation == nullptr) fail(Code::data_loss, "it has no equation");
  std::vector<Tensor> operands;
  for (std::size_t i = 0; i < call.inputs.size(); ++i)
    operands.push_back(call.tensor(i));
  return {einsum(equation->s(), OperandList(operands))};
}

std::vector<std::int64_t> integers(const NodeCall& call, std::size_t input) {
  const Tensor values = call.constant(input);
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    if (values.dtype() == DType::int32) {
      result.push_back(values.data<std::int32_t>()[i]);
    } else if (values.dtype() == DType::int64) {
      result.push_back(values.data<std::int64_t>()[i]);
    } else {
      fail(Code::data_loss, "input " + std::to_string(input) + " holds no integers");
    }
  }
  return result;
}

struct Blocks {
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> edges;  // before and after, for each block size
};

Blocks read_blocks(const NodeCall& call) {
  Blocks blocks = {integers(call, 1), integers(call, 2)};
  bool valid = blocks.edges.size() == 2 * blocks.sizes.size() && blocks.sizes.size() <= 4;
  for (const std::int64_t size : blocks.sizes)
    valid = valid && size >= 1;
  for (const std::int64_t edge : blocks.edges)
    valid = valid && edge >= 0;
  if (!valid) fail(Code::data_loss, "its blocks and edges do not fit each other");
  return blocks;
}

std::size_t rank_of(const Tensor& x, std::size_t least) {
  if (!x.shape().has_rank()) fail(Code::unimplemented, "an operand of unknown rank");
  const auto rank = static_cast<std::size_t>(x.shape().rank());
  if (rank < least) fail(Code::data_loss, "an operand with too few axes");
  return rank;
}

Tensor length(const Tensor& x, std::size_t axis) {
  return gather(shape(x), Tensor::from(std::vector<std::int32_t>{static_cast<std::int32_t>(axis)}));
}

Tensor vector(std::int64_t value) {
  return Tensor::from(std::vector<std::int32_t>{static_cast<std::int32_t>(value)});
}

// [n, d * b, ...] -> [b * n, d, ...]: the positions within blocks become the outer part of the
// batch.
Values space_to_batch(const NodeCall& call) {
  const Blocks blocks = read_blocks(call);
  const std::size_t m = blocks.sizes.size();
  const Tensor x = call.tensor(0);
  const std::size_t rank = rank_of(x, m + 1);
  std::vector<std::int64_t> paddings(2 * rank);
  std::copy(blocks.edges.begin(), blocks.edges.end(), paddings.begin() + 2);
  const Tensor padded = pad(x, Ints(paddings));
  std::vector<Tensor> split = {length(padded, 0)}, joined = {vector(-1)};
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < m; ++i) {
    const Tensor count = floor_divide(length(padded, i + 1), vector(blocks.sizes[i]));
    split.push_back(count);
    split.push_back(vector(blocks.sizes[i]));
    joined.push_back(count);
    order.push_back(static_cast<std::int64_t>(2 * i + 2));
  }
  order.push_back(0);
  for (std::size_t i = 0; i < m; ++i)
    order.push_back(static_cast<std::int64_t>(2 * i + 1));
  for (std::size_t i = m + 1; i < rank; ++i) {
    split.push_back(length(padded, i));
    joined.push_back(length(padded, i));
    order.push_back(static_cast<std::int64_t>(i + m));
  }
  const Tensor taken = transpose(reshape(padded, concat(OperandList(split), 0)), Ints(order));
  return {reshape(taken, concat(OperandList(joined), 0))};
}

// The way back: [b * n, d, ...] -> [n, d * b, ...], without the edges.
Values batch_to_space(const NodeCall& call) {
  const Blocks blocks = read_blocks(call);
  const std::size_t m = blocks.sizes.size();
  const Tensor x = call.tensor(0);
  const std::size_t rank = rank_of(x, m + 1);
  std::vector<Tensor> split, joined = {vector(-1)};
  std::vector<std::int64_t> order = {static_cast<std::int64_t>(m)};
  for (const std::int64_t size : blocks.sizes)
    split.push_back(vector(size));
  split.push_back(vector(-1));
  for (std::size_t i = 1; i < rank; ++i) {
    split.push_back(length(x, i));
    order.push_back(static_cast<std::int64_t>(m + i));
    if (i <= m) order.push_back(static_cast<std::int64_t>(i - 1));
    joined.push_back(i <= m ? length(x, i) * vector(blocks.sizes[i - 1]) : length(x, i));
  }
  const Tensor taken = transpose(reshape(x, concat(OperandList(split), 0)), Ints(order));
  const Tensor whole = reshape(taken, concat(OperandList(joined), 0));
  std::vector<std::int64_t> begin(rank);
  std::vector<Tensor> size = {length(whole, 0)};
  for (std::size_t i = 1; i < rank; ++i) {
    const bool cut = i <= m;
    begin[i] = cut ? blocks.edges[2 * (i - 1)] : 0;
    const std::int64_t edges = cut ? begin[i] + blocks.edges[2 * (i - 1) + 1] : 0;
    size.push_back(length(whole, i) - vector(edges));
  }
  return {slice(whole, Ints(begin), concat(OperandList(size), 0))};
}

// Where the outputs along an axis lie among its `count` inputs.
Tensor positions(const NodeCall& call, const Tensor& count, const Tensor& outputs) {
  const Tensor n = cast(count, DType::float32), m = cast(outputs, DType::float32);
  const Tensor i = cast(range(outputs), DType::float32);
  if (flag(call, "align_corners")) {
    const Tensor steps = maximum(m - 1.0F, 1.0F);
    return i * (where(m > 1.0F, n - 1.0F, n) / steps);
  }
  if (flag(call, "half_pixel_centers")) return (i + 0.5F) * (n / m) - 0.5F;
  return i * (n / m);
}

struct Axis {
  int axis;
  Tensor count, position;
};

Axis read_axis(const NodeCall& call, const Tensor& x, int axis) {
  const Tensor count = gather(shape(x), Tensor(axis));
  const Tensor outputs = gather(call.tensor(1), Tensor(axis - 1));
  return {axis, count, positions(call, count, outputs)};
}

Tensor inside(const Tensor& index, const Tensor& count) {
  return maximum(minimum(cast(index, DType::int32), count - 1), 0);
}

Tensor interpolate(const Tensor& x, const Axis& a) {
  const Tensor below = floor(a.position);
  const Tensor low = gather(x, inside(below, a.count), a.axis);
  const Tensor high = gather(x, inside(ceil(a.position), a.count), a.axis);
  const std::vector<std::int64_t> column =
      a.axis == 1 ? std::vector<std::int64_t>{-1, 1, 1} : std::vector<std::int64_t>{-1, 1};
  return low + (high - low) * reshape(a.position - below, Ints(column));
}

Values resize_bilinear(const NodeCall& call) {
  const Tensor x = call.tensor(0);
  if (rank_of(x, 4) != 4) fail(Code::data_loss, "images of another rank than 4");
  const Tensor wide = interpolate(cast(x, DType::float32), read_axis(call, x, 2));
  return {interpolate(wide, read_axis(call, x, 1))};
}

Values resize_nearest(const NodeCall& call) {
  Tensor x = call.tensor(0);
  if (rank_of(x, 4) != 4) fail(Code::data_loss, "images of another rank than 4");
  for (const int axis : {1, 2}) {
    const Axis a = read_axis(call, x, axis);
    // With half pixels TensorFlow takes the pixel that the centre lies in.
    const Tensor place = flag(call, "half_pixel_centers") ? a.position + 0.5F : a.position;
    const Tensor index = flag(call, "align_corners") ? floor(place + 0.5F) : floor(place);
    x = gather(x, inside(index, a.count), axis);
  }
  return {x};
}

constexpr ConverterEntry kConverters[] = {
    {"Einsum", convert_einsum},
    {"SpaceToBatchND", space_to_batch},
    {"BatchToSpaceND", batch_to_space},
    {"ResizeBilinear", resize_bilinear},
    {"ResizeNearestNeighbor", resize_nearest},
};

}  // namespace

std::span<const ConverterEntry> composed_converters() {
  return kConverters;
}

}  // namespace weir::io
