#pragma once

/// What several families of converters need.

#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "leaf/onnx/layout.h"
#include "leaf/onnx/table.h"

namespace weir::onnx_io {

using List = std::vector<std::int64_t>;

template <Tensor (*F)(Operand)>
Values unary(NodeContext& c) {
  return {in_layout(F, c.in(0))};
}
template <Tensor (*F)(Operand, Operand)>
Values binary(NodeContext& c) {
  return {in_layout(F, c.in(0), c.in(1))};
}

/// An axis of a tensor of this rank, counted from 0. Throws for one out of range.
std::int64_t check_axis(const NodeContext& c, std::int64_t axis, std::int64_t rank);
List check_axes(const NodeContext& c, List axes, std::int64_t rank);
/// The dimensions; unsupported unless all are known.
List known_dims(const NodeContext& c, const Tensor& x);
/// The dimension; unsupported unless it is known.
std::int64_t known_dim(const NodeContext& c, const Tensor& x, std::int64_t axis);
/// The dimensions as int64 [rank]: a constant where all are known.
Tensor dims_of(const Tensor& x);
/// The scalar of an operand, whatever its shape: [] and [1] are both in use.
Tensor as_scalar(const Tensor& x);
/// The axes 0 ... rank - 1 with one moved.
List moved_axis(std::int64_t rank, std::int64_t from, std::int64_t to);
/// The dtype of an attribute that holds an ONNX type; unsupported where Weir has none.
DType dtype_of_attr(const NodeContext& c, std::int64_t number);
/// Elements that a converter may compute on its own, for tables of places and weights: a file of
/// 100 bytes may ask for 2^60.
constexpr std::int64_t kMaxTable = std::int64_t{1} << 22;
/// The product of sizes; unsupported beyond kMaxTable.
std::int64_t table_size(std::initializer_list<std::int64_t> sizes);
/// 0, 1 ... n - 1. Unsupported beyond kMaxTable.
List iota(std::int64_t n, std::int64_t from = 0);
/// Begins, then ends, of each axis -> rows {begin, end}.
List paddings_of(const List& pads);
/// Computes in float32 what a narrow floating type would round at each step.
bool is_narrow(DType t);

}  // namespace weir::onnx_io
