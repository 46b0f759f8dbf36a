#include "io/saved_model/loaded.h"

#include <algorithm>

#include "function/trace.h"
#include "io/file/file.h"

namespace weir::inline v0 {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

[[noreturn]] void unknown_name(const std::string& what, const std::vector<std::string>& names) {
  ErrorInfo info;
  info.code = Code::not_found;
  info.what = what;
  info.expected = names.empty() ? "it has none" : "one of " + joined(names);
  throw Error(info);
}

bool accepts(const ConcreteFunction& function, std::span<const Tensor> arguments) {
  const auto& inputs = function.inputs();
  return std::equal(inputs.begin(),
                    inputs.end(),
                    arguments.begin(),
                    arguments.end(),
                    [](const TensorSpec& spec, const Tensor& value) {
                      return tracing::fits(value, {spec.dtype, spec.shape});
                    });
}

}  // namespace

const std::string& LoadedSignature::name() const {
  return impl_->name;
}
const std::vector<TensorSpec>& LoadedSignature::inputs() const {
  return impl_->function.inputs();
}
const std::vector<TensorSpec>& LoadedSignature::outputs() const {
  return impl_->outputs;
}
const ConcreteFunction& LoadedSignature::function() const {
  return impl_->function;
}

NamedTensors LoadedSignature::operator()(const NamedTensors& arguments) const {
  std::vector<std::string> wanted, got;
  std::vector<Tensor> values;
  for (const TensorSpec& spec : inputs()) {
    wanted.push_back(spec.name);
    const auto given = std::find_if(
        arguments.begin(), arguments.end(), [&](const auto& a) { return a.first == spec.name; });
    if (given != arguments.end()) values.push_back(given->second);
  }
  if (values.size() != inputs().size() || arguments.size() != inputs().size()) {
    for (const auto& argument : arguments)
      got.push_back(argument.first);
    ErrorInfo info;
    info.what = "signature '" + name() + "': an argument is missing or unknown";
    info.got = joined(got);
    info.expected = joined(wanted);
    throw Error(info);
  }
  std::vector<Tensor> results = impl_->function(values);
  NamedTensors named;
  for (std::size_t i = 0; i < results.size(); ++i)
    named.emplace_back(outputs()[i].name, std::move(results[i]));
  return named;
}

const LoadedSignature& Signatures::operator[](std::string_view name) const {
  std::vector<std::string> names;
  for (const LoadedSignature& signature : list_) {
    if (signature.name() == name) return signature;
    names.push_back(signature.name());
  }
  unknown_name("the model has no signature '" + std::string(name) + "'", names);
}

const std::string& LoadedFunction::name() const {
  return impl_->name;
}
const std::vector<ConcreteFunction>& LoadedFunction::concrete_functions() const {
  return impl_->functions;
}

const ConcreteFunction& LoadedFunction::concrete_function(std::span<const Tensor> arguments) const {
  std::string expected;
  for (const ConcreteFunction& function : impl_->functions) {
    if (accepts(function, arguments)) return function;
    expected += expected.empty() ? "(" : " or (";
    for (const TensorSpec& spec : function.inputs())
      expected += Spec{spec.dtype, spec.shape}.describe() + " ";
    expected += ")";
  }
  ErrorInfo info;
  info.what = "function '" + name() + "' was not saved for these arguments";
  for (const Tensor& argument : arguments)
    info.got += Spec{argument.dtype(), argument.shape()}.describe() + " ";
  info.expected = expected;
  throw Error(info);
}

std::vector<Tensor> LoadedFunction::operator()(std::span<const Tensor> arguments) const {
  return concrete_function(arguments)(arguments);
}
std::vector<Tensor> LoadedFunction::operator()(std::initializer_list<Tensor> arguments) const {
  return (*this)(std::span(arguments.begin(), arguments.size()));
}

LoadedFunction SavedModel::Impl::function(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = functions_.find(name);
  if (known != functions_.end()) return known->second;
  const auto& nodes = file_->objects().functions();
  const auto node = nodes.find(name);
  if (node == nodes.end())
    unknown_name("the model has no function '" + name + "'", function_names());
  return functions_.emplace(name, io::read_function(*file_, name, node->second)).first->second;
}

std::vector<std::string> SavedModel::Impl::function_names() const {
  std::vector<std::string> names;
  for (const auto& [name, node] : file_->objects().functions())
    names.push_back(name);
  return names;
}

const std::vector<Variable>& SavedModel::variables() const {
  return impl_->variables();
}

std::vector<Variable> SavedModel::trainable_variables() const {
  std::vector<Variable> trainable;
  for (const Variable& variable : variables()) {
    if (variable.trainable()) trainable.push_back(variable);
  }
  return trainable;
}

LoadedFunction SavedModel::function(std::string_view name) const {
  return impl_->function(std::string(name));
}
std::vector<std::string> SavedModel::function_names() const {
  return impl_->function_names();
}

}  // namespace weir::inline v0
