#pragma once

/// Gradients that are made from nothing, and gradients of rows.

#include <weir/op_def.h>

#include <vector>

namespace weir::autodiff {

/// Ones and zeros of the shape of a value; `like`, the value, is read only where the shape is not
/// static.
Tensor ones_of(DType dtype, ShapeView shape, const Tensor& like);
Tensor zeros_of(DType dtype, ShapeView shape, const Tensor& like);
/// The dimensions of a value: integers where they are known, else its symbolic shape, kept in
/// `storage`.
Ints dims_of(ShapeView shape, const Tensor& like, Tensor& storage);

/// All rows as one gradient; duplicates stay. `parts` has at least one element.
Slices join(std::vector<Slices> parts);
/// The dense form; duplicates are added.
Tensor to_dense(const Slices& rows);

}  // namespace weir::autodiff
