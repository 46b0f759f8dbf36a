#pragma once

/// The windows of convolutions and pooling: one entry of each list for each spatial axis.

#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {

struct Windows {
  List sizes;
  List strides;
  List dilations;
  List begin;  // padding
  List end;
  std::string auto_pad;  // NOTSET: padding is as given

  std::size_t axes() const { return sizes.size(); }
  std::int64_t extent(std::size_t i) const { return (sizes[i] - 1) * dilations[i] + 1; }
  /// Is SAME with the odd cell at the end, for any size of the input.
  bool same_upper() const { return auto_pad == "SAME_UPPER"; }
};

/// The attributes of a node with windows of these sizes, checked.
Windows read_windows(const NodeContext& c, List sizes);
/// Unsupported for dimensions of 2^31 and more.
void check_spatial(const NodeContext& c, const Tensor& x);
/// Sets the padding that auto_pad asks for. Unsupported for SAME of an input of unknown size.
void resolve_padding(const NodeContext& c, const Tensor& x, Windows* w);
/// Unsupported for windows that would take too many nodes, one for each cell along an axis.
void check_taps(const NodeContext& c, std::int64_t size);
/// How many windows fit along spatial axis i of an input of `size` cells.
std::int64_t window_count(
    const NodeContext& c, const Windows& w, std::size_t i, std::int64_t size, bool ceil_mode);

/// The elements first, first + step ... (count of them) along an axis.
Tensor take(
    const Tensor& x, std::int64_t axis, std::int64_t first, std::int64_t step, std::int64_t count);

}  // namespace weir::onnx_io
