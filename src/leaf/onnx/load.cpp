#include "leaf/onnx/load.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>

#include "function/concrete.h"
#include "io/file/file.h"
#include "leaf/onnx/importer.h"
#include "platform/file.h"

namespace weir {
namespace onnx_io {
namespace {

constexpr std::size_t kMaxReadings = 16;

ConcreteFunction to_function(ImportedModel model) {
  tracing::Signature signature;
  for (const int input : model.graph->inputs) {
    const graph::Node& node = model.graph->node(input);
    signature.specs.push_back(node.outputs[0]);
    signature.names.push_back(node.name);
  }
  auto trace = std::make_shared<tracing::Trace>(std::move(signature),
                                                std::move(model.graph),
                                                std::vector<Tensor>{},
                                                std::vector<std::size_t>{},
                                                FunctionOptions{.name = model.name});
  return ConcreteFunction(std::make_shared<ConcreteFunction::Impl>(std::move(trace)));
}

bool same_value(const Tensor& a, const Tensor& b) {
  if (a.dtype() == DType::string) return false;
  return std::memcmp(a.raw_data(), b.raw_data(), static_cast<std::size_t>(a.nbytes())) == 0;
}

// Do these arguments give the same graph?
bool fits(const Known& known, const std::vector<Tensor>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Tensor& a = known.arguments[i];
    if (!(a.shape() == arguments[i].shape())) return false;
    if (known.fixes(a) && !same_value(a, arguments[i])) return false;
  }
  return true;
}

void check_arguments(const std::vector<TensorSpec>& specs, const std::vector<Tensor>& arguments) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const Tensor& t = arguments[i];
    if (t.defined() && !t.is_symbolic() && tracing::fits(t, {specs[i].dtype, specs[i].shape})) {
      continue;
    }
    ErrorInfo info;
    info.what = "the argument '" + printable(specs[i].name) + "' does not fit the model";
    info.got = t.defined() ? t.describe() : "an undefined tensor";
    info.expected = std::string(weir::name(specs[i].dtype)) + specs[i].shape.to_string();
    throw Error(info);
  }
}

}  // namespace
}  // namespace onnx_io

inline namespace v0 {
namespace onnx {

/// A model whose graph can be read at once has a function; one that needs to know the shapes of its
/// arguments, or values of some, is read anew for each that it is called with.
struct Model::Impl {
  struct Reading {
    onnx_io::Known known;
    ConcreteFunction function;
  };

  std::string name;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::optional<ConcreteFunction> function;
  std::string obstacle;
  std::shared_ptr<const onnx_io::ModelFile> file;
  std::mutex mutex;
  std::list<Reading> readings;  // most recently used first
  int level = 0;

  ConcreteFunction function_for(const std::vector<Tensor>& arguments);
};

ConcreteFunction Model::Impl::function_for(const std::vector<Tensor>& arguments) {
  if (function) return *function;
  onnx_io::check_arguments(inputs, arguments);
  const std::lock_guard lock(mutex);
  for (auto r = readings.begin(); r != readings.end(); ++r) {
    if (!onnx_io::fits(r->known, arguments)) continue;
    readings.splice(readings.begin(), readings, r);
    return r->function;
  }
  onnx_io::Known known{arguments, level};
  onnx_io::ImportedModel model = file->read(&known);
  while (model.graph == nullptr) {
    known.level = ++level;
    model = file->read(&known);
  }
  readings.push_front({std::move(known), onnx_io::to_function(std::move(model))});
  if (readings.size() > onnx_io::kMaxReadings) readings.pop_back();
  return readings.front().function;
}

const std::string& Model::name() const {
  return impl_->name;
}
const std::vector<TensorSpec>& Model::inputs() const {
  return impl_->inputs;
}
const std::vector<TensorSpec>& Model::outputs() const {
  return impl_->outputs;
}
const ConcreteFunction& Model::function() const {
  if (impl_->function) return *impl_->function;
  io::fail(Code::unimplemented,
           "model '" + onnx_io::printable(name()) +
               "' depends on shapes or values of its arguments: " + impl_->obstacle,
           "call the model itself");
}

NamedTensors Model::call(const NamedTensors& arguments) const {
  std::string wanted;
  std::vector<Tensor> values;
  for (const TensorSpec& spec : inputs()) {
    wanted += (wanted.empty() ? "" : ", ") + spec.name;
    const auto given = std::find_if(
        arguments.begin(), arguments.end(), [&](const auto& a) { return a.first == spec.name; });
    if (given != arguments.end()) values.push_back(given->second);
  }
  if (values.size() != inputs().size() || arguments.size() != inputs().size()) {
    std::string got;
    for (const auto& argument : arguments)
      got += (got.empty() ? "" : ", ") + argument.first;
    ErrorInfo info;
    info.what = "model '" + name() + "': an argument is missing or unknown";
    info.got = got;
    info.expected = wanted;
    throw Error(info);
  }
  std::vector<Tensor> results = impl_->function_for(values)(values);
  NamedTensors named;
  for (std::size_t i = 0; i < results.size(); ++i)
    named.emplace_back(outputs()[i].name, std::move(results[i]));
  return named;
}

Model load(const std::string& path) {
  platform::MappedFile file;
  io::check(platform::MappedFile::open(path, &file));
  const auto bytes = file.bytes();
  return onnx_io::parse_model({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                              {platform::parent_path(path)},
                              path);
}

}  // namespace onnx
}  // namespace v0

namespace onnx_io {

onnx::Model parse_model(std::string_view bytes, const DataFiles& files, const std::string& name) {
  auto file = std::make_shared<const ModelFile>(bytes, files, name);
  ImportedModel model = file->read(nullptr);
  auto impl = std::make_shared<onnx::Model::Impl>();
  impl->name = model.name;
  impl->inputs = model.inputs;
  impl->outputs = model.outputs;
  impl->obstacle = model.obstacle;
  if (model.graph != nullptr) {
    impl->function = to_function(std::move(model));
  } else {
    impl->file = std::move(file);
  }
  return onnx::Model(std::move(impl));
}

}  // namespace onnx_io
}  // namespace weir
