#pragma once

#include <weir/tensor.h>

#include <string>
#include <string_view>

namespace weir::io {

/// The tensor in the bytes of a .npy file; `name` is what errors call it. Throws weir::Error.
Tensor parse_npy(std::string_view file, const std::string& name);

/// The bytes of a .npy file. Throws weir::Error.
std::string format_npy(const Tensor& tensor);

}  // namespace weir::io
