/// NamedTensors: what is read from and written to files, and given to saved models.
#pragma once

#include <weir/tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// Tensors by name, in an order of their own.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

}  // namespace weir::inline v0
