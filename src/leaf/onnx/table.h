#pragma once

#include <span>
#include <string_view>

#include "leaf/onnx/context.h"

namespace weir::onnx_io {

/// How a node of one op becomes calls of Weir's ops.
struct Converter {
  const char* op;
  Values (*convert)(NodeContext& node);
  /// The first version of the operator set whose form of the op is known.
  int since = 7;
  /// Gives the same results for the same operands, so that constants may be folded.
  bool pure = true;
  const char* domain = "";
};

/// The converter of an op, whose domain is "" for ONNX's own; null: Weir has none.
const Converter* find_converter(std::string_view domain, std::string_view op);
std::vector<const Converter*> all_converters();

// The families, each in a file of its own.
std::span<const Converter> attention_converters();
std::span<const Converter> cast_converters();
std::span<const Converter> control_converters();
std::span<const Converter> conv_converters();
std::span<const Converter> elementwise_converters();
std::span<const Converter> gather_converters();
std::span<const Converter> image_converters();
std::span<const Converter> loss_converters();
std::span<const Converter> matmul_converters();
std::span<const Converter> norm_converters();
std::span<const Converter> pool_converters();
std::span<const Converter> recurrent_converters();
std::span<const Converter> reduce_converters();
std::span<const Converter> resize_converters();
std::span<const Converter> sequence_converters();
std::span<const Converter> shape_converters();
std::span<const Converter> signal_converters();
std::span<const Converter> training_converters();

}  // namespace weir::onnx_io
