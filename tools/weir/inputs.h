#pragma once

#include <weir/named_tensors.h>

#include <string>
#include <vector>

namespace weir::cli {

/// The tensors of "--input NAME=FILE.npy". Errors: wrong usage; what load_npy says.
NamedTensors read_inputs(const std::vector<std::string>& arguments);

}  // namespace weir::cli
