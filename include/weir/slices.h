/// Slices: a gradient as rows.
#pragma once

#include <weir/tensor.h>

namespace weir::inline v0 {

/// A gradient that touches few rows: rows `indices` of a tensor of `shape` get `values`; duplicates
/// add up.
struct Slices {
  Tensor values;   // [n, shape[1:]]
  Tensor indices;  // int32 or int64 [n]
  Shape shape;
  Tensor dims =
      {};  // the shape as a symbolic tensor, where `shape` is not static; rules need not set it
};

}  // namespace weir::inline v0
