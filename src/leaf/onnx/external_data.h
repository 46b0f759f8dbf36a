#pragma once

#include <string>

#include "leaf/onnx/constant.h"

namespace weir::onnx_io {

/// The bytes that `proto` says to lie in another file. The file must be a regular one below the
/// model's directory, reached without symbolic links and without other names (hard links), and hold
/// all of the bytes. Throws weir::Error.
std::string read_external(const onnx_proto::TensorProto& proto,
                          const DataFiles& files,
                          std::uint64_t expected_bytes,
                          const std::string& what);

}  // namespace weir::onnx_io
