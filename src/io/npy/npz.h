#pragma once

#include <weir/npy.h>

#include <string>
#include <string_view>

namespace weir::io {

/// The tensors in the bytes of a .npz archive; `name` is what errors call it. Throws weir::Error.
NamedTensors parse_npz(std::string_view file, const std::string& name);

/// The bytes of a .npz archive. The same tensors give the same bytes. Throws weir::Error.
std::string format_npz(const NamedTensors& tensors);

}  // namespace weir::io
