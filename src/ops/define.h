#pragma once

/// What every op file includes. A file has two parts: the schema, from which the API is generated,
/// and, behind
/// `#ifndef WEIR_SCHEMA_ONLY`, what uses that API.
///
///   OpDef define_square() { return OpDef("Square")...; }
///   #ifndef WEIR_SCHEMA_ONLY
///   #include <weir/ops/math.h>
///   void implement_square(OpDef& op) { op.infer(infer::elementwise).gradient(...); }
///   #endif

#include <weir/op_def.h>

namespace weir::ops {

namespace infer {

/// NumPy broadcasting of all inputs; every output has the shape.
void elementwise(InferContext& c);
/// Every output has the shape of input 0.
void same_as_first(InferContext& c);
/// Every output is a scalar.
void scalar(InferContext& c);
/// Attributes `axis` (integers, absent: all) and `keepdims` of a reduction.
void reduction(InferContext& c);

/// The broadcast shape of two, or a failure "incompatible shapes".
Shape broadcast(InferContext& c, ShapeView a, ShapeView b);
/// The axes of a reduction in [0, rank), checked, sorted.
std::vector<int> axes(InferContext& c, int attr, int rank);

}  // namespace infer

/// Sums `gradient` over the axes along which an operand of shape `shape` was broadcast.
Tensor unbroadcast(const GradientContext& g, int input, Tensor gradient);

}  // namespace weir::ops
