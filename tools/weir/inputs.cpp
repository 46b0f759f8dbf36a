#include "inputs.h"

#include <weir/npy.h>

#include <CLI/CLI.hpp>
#include <set>

namespace weir::cli {
namespace {

std::string name_in(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0)
    throw CLI::ValidationError("--input", "'" + argument + "' is not NAME=FILE.npy");
  return argument.substr(0, equals);
}

}  // namespace

NamedTensors read_inputs(const std::vector<std::string>& arguments) {
  std::set<std::string> names;  // usage is checked before any file is read
  for (const std::string& a : arguments) {
    if (!names.insert(name_in(a)).second)
      throw CLI::ValidationError("--input", "'" + name_in(a) + "' is given twice");
  }
  NamedTensors tensors;
  for (const std::string& a : arguments) {
    const std::string name = name_in(a);
    tensors.emplace_back(name, load_npy(a.substr(name.size() + 1)));
  }
  return tensors;
}

}  // namespace weir::cli
