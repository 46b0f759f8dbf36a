#pragma once

#include <weir/saved_model.h>

#include <map>
#include <mutex>

#include "io/saved_model/model_file.h"

namespace weir::inline v0 {

struct LoadedSignature::Impl {
  std::string name;
  std::vector<TensorSpec> outputs;
  ConcreteFunction function;
};

struct LoadedFunction::Impl {
  std::string name;
  std::vector<ConcreteFunction> functions;  // never empty; the first is the one to prefer
};

class SavedModel::Impl {
 public:
  Impl(std::unique_ptr<io::ModelFile> file, std::vector<Variable> variables)
      : file_(std::move(file)), variables_(std::move(variables)) {}

  const std::vector<Variable>& variables() const { return variables_; }
  LoadedFunction function(const std::string& name) const;
  std::vector<std::string> function_names() const;

 private:
  const std::unique_ptr<io::ModelFile> file_;
  const std::vector<Variable> variables_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, LoadedFunction> functions_;  // those that were asked for
};

}  // namespace weir::inline v0

namespace weir::io {

/// A function of the object graph, by its node. Throws weir::Error.
LoadedFunction read_function(ModelFile& file, const std::string& name, int node);

}  // namespace weir::io
