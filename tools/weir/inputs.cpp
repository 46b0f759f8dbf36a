#include "inputs.h"

#include <weir/npy.h>

#include <CLI/CLI.hpp>

namespace weir::cli {

NamedTensors read_inputs(const std::vector<std::string>& arguments) {
  NamedTensors tensors;
  for (const std::string& a : arguments) {
    const std::size_t equals = a.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CLI::ValidationError("--input", "'" + a + "' is not NAME=FILE.npy");
    tensors.emplace_back(a.substr(0, equals), load_npy(a.substr(equals + 1)));
  }
  return tensors;
}

}  // namespace weir::cli
