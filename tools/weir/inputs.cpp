#include "inputs.h"

#include <weir/npy.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace weir::cli {

NamedTensors read_inputs(const std::vector<std::string>& arguments) {
  NamedTensors tensors;
  for (const std::string& a : arguments) {
    const std::size_t equals = a.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CLI::ValidationError("--input", "'" + a + "' is not NAME=FILE.npy");
    const std::string name = a.substr(0, equals);
    const auto same = [&](const auto& entry) { return entry.first == name; };
    if (std::any_of(tensors.begin(), tensors.end(), same))
      throw CLI::ValidationError("--input", "'" + name + "' is given twice");
    tensors.emplace_back(name, load_npy(a.substr(equals + 1)));
  }
  return tensors;
}

}  // namespace weir::cli
