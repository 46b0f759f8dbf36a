#pragma once

#include <weir/onnx.h>

#include <string_view>

#include "leaf/onnx/constant.h"

namespace weir::onnx_io {

/// The model in the bytes of a file; `name` is what errors call it. Throws weir::Error.
onnx::Model parse_model(std::string_view bytes, const DataFiles& files, const std::string& name);

}  // namespace weir::onnx_io
