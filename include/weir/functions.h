/// Functions made of ops: what has no node of its own in a graph.
#pragma once

#include <weir/operand.h>

namespace weir::inline v0 {

/// Matrix product of the last two axes, batched over the leading ones, which broadcast.
/// Shapes: a [..., m, k], b [..., k, n] -> [..., m, n]; transpose_a and transpose_b exchange the
/// last two axes first. Errors: rank below 2; different inner dimensions; different dtypes.
/// TensorFlow: MatMul, or BatchMatMulV2 beyond rank 2.
Tensor matmul(Operand a, Operand b, bool transpose_a = false, bool transpose_b = false);

// -- arrays --

/// 0, 1, 2 ... up to but not including limit; or from start; see Range.
Tensor range(Operand limit);
Tensor range(Operand start, Operand limit);
/// Vectors of length `depth` with 1 at the index and 0 elsewhere. Errors: those of OneHot.
Tensor one_hot(Operand indices, const Ints& depth, DType dtype = DType::float32, int axis = -1);
/// The slices along an axis, without it. Errors: an axis whose length is not known; use unpack with
/// the number.
std::vector<Tensor> unstack(Operand x, int axis = 0);
/// Parts of the given lengths along an axis; one may be -1. TensorFlow: SplitV.
std::vector<Tensor> split(Operand x, const std::vector<std::int64_t>& sizes, const Ints& axis = 0);
/// Two axes exchanged.
Tensor swapaxes(Operand x, int axis1, int axis2);
/// All elements in one axis.
Tensor flatten(Operand x);
/// Zeros or ones of a shape, which may be a tensor.
Tensor zeros(const Ints& shape, DType dtype = DType::float32);
Tensor ones(const Ints& shape, DType dtype = DType::float32);
/// The elements in order along an axis; NaN comes last in either direction. `argsort` says where
/// they stood (int32); equal elements keep their order. Errors: axis out of range.
Tensor sort(Operand x, int axis = -1, bool descending = false);
Tensor argsort(Operand x, int axis = -1, bool descending = false);
/// Where values would go into sorted rows (the last axis): before equal elements, or after them if
/// `right`. Shapes: sorted [..., n], values [..., m] -> [..., m]. Errors: leading axes that differ.
Tensor searchsorted(Operand sorted,
                    Operand values,
                    bool right = false,
                    DType out_type = DType::int32);
/// x with the part that x[indices] reads replaced by `value`, which broadcasts to that part.
Tensor set_slice(Operand x, std::initializer_list<Index> indices, Operand value);
/// The slices of x where mask, whose shape is that of x from `axis` on, is true: [n] + the axes
/// that mask has not. Errors: a mask that is no bool, or of rank 0, or of another shape.
Tensor boolean_mask(Operand x, Operand mask, int axis = 0);
/// Coordinate arrays of a grid, one for each vector. indexing: "xy" (the first two axes exchanged)
/// or "ij".
std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors, std::string_view indexing = "xy");

// -- mathematics --

/// log(sum(exp(x))) along axes, all by default, without overflow; of nothing, or of -inf alone, it
/// is -inf.
Tensor logsumexp(Operand x, const Ints& axis = {}, bool keepdims = false);
/// Mean of the squared distance from the mean along axes, all by default (the biased estimate). x
/// floating.
Tensor variance(Operand x, const Ints& axis = {}, bool keepdims = false);
/// Square root of the variance.
Tensor stddev(Operand x, const Ints& axis = {}, bool keepdims = false);
/// Length of vectors along axes, all by default: ord 2 is the Euclidean one, 1 the sum and infinity
/// the maximum of the absolute values, any other p > 0 sum(|x|^p)^(1/p). The gradient at 0 is NaN.
/// Error: ord is not above 0.
Tensor norm(Operand x, const Ints& axis = {}, bool keepdims = false, double ord = 2);
/// Number of elements that are not 0 along axes, all by default: int64.
Tensor count_nonzero(Operand x, const Ints& axis = {}, bool keepdims = false);
/// x with no norm above `limit` along axes: x limit / max(norm, limit).
Tensor clip_by_norm(Operand x, double limit, const Ints& axis = {});
/// x divided by its Euclidean norm along axes; squares of the norm below epsilon count as epsilon.
Tensor l2_normalize(Operand x, const Ints& axis = {}, double epsilon = 1e-12);
/// cast, but values beyond the range of an integer dtype become its nearest value.
Tensor saturate_cast(Operand x, DType dtype);

// -- writes into parts of variables; each returns the updated value --

/// Rows `indices` of v are set to updates, or combined with them; duplicates accumulate, in order.
/// Shapes: indices any, updates indices.shape + v.shape[1:]. Errors: an index outside [0,
/// v.shape[0]); integer division by zero; v keeps its value then.
Tensor scatter_update(const Variable& v, Operand indices, Operand updates);
Tensor scatter_add(const Variable& v, Operand indices, Operand updates);
Tensor scatter_sub(const Variable& v, Operand indices, Operand updates);
Tensor scatter_mul(const Variable& v, Operand indices, Operand updates);
Tensor scatter_div(const Variable& v, Operand indices, Operand updates);
Tensor scatter_max(const Variable& v, Operand indices, Operand updates);
Tensor scatter_min(const Variable& v, Operand indices, Operand updates);
/// The same at coordinates, as tensor_scatter_update takes them.
Tensor scatter_nd_update(const Variable& v, Operand indices, Operand updates);
Tensor scatter_nd_add(const Variable& v, Operand indices, Operand updates);
Tensor scatter_nd_sub(const Variable& v, Operand indices, Operand updates);
/// The part that v.value()[indices] reads is set to `value`, which broadcasts to it.
Tensor assign_slice(const Variable& v, std::initializer_list<Index> indices, Operand value);

}  // namespace weir::inline v0
