#pragma once

/// Shape rules of ops that slide a window over images [batch, height, width, channels].

#include "base/window.h"
#include "ops/define.h"

namespace weir::ops::infer {

/// The attributes that say how a window slides, by their index; -1: the op has none.
struct WindowAttrs {
  int sizes = -1;  // a list of four; -1: the size comes from a filter
  int strides = 0;
  int padding = 1;
  int explicit_paddings = -1;
  int dilations = -1;
};

/// Checks the lists; fails if one is wrong. Batch and channels must be 1 everywhere.
void check_windows(InferContext& c, const WindowAttrs& a);
/// Output dimension of spatial axis `axis` (1: height, 2: width). Unknown where the input or the
/// filter is.
Dim slide(InferContext& c, const WindowAttrs& a, int axis, Dim in, Dim filter);
/// The window of an axis as the attributes describe it.
base::Extent extent(
    InferContext& c, const WindowAttrs& a, int axis, std::int64_t in, std::int64_t filter);

}  // namespace weir::ops::infer
