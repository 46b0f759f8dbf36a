#pragma once

/// What the convolution ops share: attributes in the order strides, padding, explicit_paddings,
/// data_format, dilations.

#include "ops/nn/windows.h"

namespace weir::ops {

namespace infer {

/// `first`: index of `strides`; the gradients have a static operand before it.
constexpr WindowAttrs conv_windows(int first) {
  return {.strides = first,
          .padding = first + 1,
          .explicit_paddings = first + 2,
          .dilations = first + 4};
}

/// The static operand of a gradient (attribute 0) as a shape of rank 4.
Shape target_shape(InferContext& c);

}  // namespace infer

/// The attributes of a call, for the calls that are its derivatives.
struct ConvAttrs {
  std::vector<std::int64_t> strides, paddings, dilations;
  std::string padding;

  ConvAttrs(const GradientContext& g, int first);
};

}  // namespace weir::ops
