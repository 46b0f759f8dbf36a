#pragma once

/// ONNX puts channels before the spatial axes, Weir's convolutions want them last. What they give
/// is transposed for the rest of the graph; ops that follow element by element work on what was
/// there before and are transposed themselves, so that no pair of transposes stays between two
/// convolutions.

#include <weir/operand.h>

#include <vector>

namespace weir::onnx_io {

/// [n, c, spatial...] -> [n, spatial..., c], and back.
Tensor to_channels_last(const Tensor& x);
Tensor to_channels_first(const Tensor& x);

/// The tensor that to_channels_first made x from, in the trace of this thread; undefined if there
/// is none.
Tensor channels_last_source(const Tensor& x);

/// f(x), or f(a, b) with broadcasting, of element-wise f.
Tensor in_layout(Tensor (*f)(Operand), const Tensor& x);
Tensor in_layout(Tensor (*f)(Operand, Operand), const Tensor& a, const Tensor& b);
/// The operands one after another along the axis of channels; undefined unless all have a source.
Tensor concat_channels(const std::vector<Tensor>& parts);

}  // namespace weir::onnx_io
