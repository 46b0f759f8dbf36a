#include "io/saved_model/load.h"

#include <algorithm>
#include <unordered_set>

#include "function/concrete.h"
#include "io/file/file.h"
#include "io/graph_def/import.h"
#include "io/graph_def/tensor_proto.h"
#include "io/graph_def/unsupported.h"
#include "io/saved_model/layout.h"
#include "io/saved_model/loaded.h"
#include "platform/file.h"

namespace weir {
namespace io {
namespace {

// The signatures that TensorFlow writes for what runs while loading are no functions of the model.
constexpr std::string_view kInternal = "__saved_model";

using Entries = google::protobuf::RepeatedPtrField<proto::TensorInfoEntry>;

struct NamedTensor {
  std::string tensor;  // "x:0"
  TensorSpec spec;
};

// Arguments and results in the order of their names, whatever the order in the file.
std::vector<NamedTensor> read_infos(const Entries& entries, const std::string& what) {
  std::vector<NamedTensor> list;
  for (const proto::TensorInfoEntry& entry : entries) {
    const proto::TensorInfo& info = entry.value();
    const std::string place = what + ", tensor '" + entry.key() + "'";
    if (info.encoding_case() != proto::TensorInfo::kName) {
      fail(Code::unimplemented, place + ": a sparse or composite tensor");
    }
    const DType dtype = dtype_from_proto(info.dtype(), place);
    list.push_back(
        {info.name(), {shape_from_proto(info.tensor_shape(), place), dtype, entry.key()}});
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a.spec.name < b.spec.name;
  });
  const auto twice = std::adjacent_find(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a.spec.name == b.spec.name;
  });
  if (twice != list.end()) fail(Code::data_loss, what + ": '" + twice->spec.name + "' twice");
  return list;
}

ConcreteFunction concrete(std::shared_ptr<graph::Graph> graph,
                          const std::vector<TensorSpec>& inputs,
                          const std::string& name) {
  tracing::Signature signature;
  for (const TensorSpec& input : inputs)
    signature.specs.push_back({input.dtype, input.shape});
  return ConcreteFunction(std::make_shared<ConcreteFunction::Impl>(
      std::make_shared<tracing::Trace>(std::move(signature),
                                       std::move(graph),
                                       std::vector<Tensor>{},
                                       std::vector<std::size_t>{},
                                       FunctionOptions{.name = name})));
}

LoadedSignature read_signature(ModelFile& file,
                               const std::string& name,
                               const proto::SignatureDef& def) {
  const std::string what = "signature '" + name + "'";
  std::vector<ImportedInput> inputs;
  std::vector<TensorSpec> specs;
  for (NamedTensor& input : read_infos(def.inputs(), what)) {
    specs.push_back(input.spec);
    inputs.push_back({input.tensor, input.spec});
  }
  std::vector<TensorSpec> outputs;
  std::vector<std::string> tensors;
  for (NamedTensor& output : read_infos(def.outputs(), what)) {
    outputs.push_back(output.spec);
    tensors.push_back(output.tensor);
  }
  check_supported(file.meta().graph_def(), tensors);
  auto graph = import_graph(file.meta().graph_def(), inputs, tensors, name, file.resources());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (graph->spec(graph->outputs[i]).dtype == outputs[i].dtype) continue;
    fail(Code::data_loss, what + ": the result '" + outputs[i].name + "' has another dtype");
  }
  const ConcreteFunction function = concrete(std::move(graph), specs, name);
  return LoadedSignature(std::make_shared<LoadedSignature::Impl>(
      LoadedSignature::Impl{name, std::move(outputs), function}));
}

// The leaves of a structure of arguments, dictionaries in the order of their keys.
void flatten(const proto::StructuredValue& value,
             std::vector<const proto::StructuredValue*>* leaves) {
  const auto all = [&](const auto& values) {
    for (const auto& v : values)
      flatten(v, leaves);
  };
  switch (value.kind_case()) {
    case proto::StructuredValue::kListValue:
      return all(value.list_value().values());
    case proto::StructuredValue::kTupleValue:
      return all(value.tuple_value().values());
    case proto::StructuredValue::kDictValue: {
      std::map<std::string_view, const proto::StructuredValue*> sorted;
      for (const auto& entry : value.dict_value().fields())
        sorted.emplace(entry.key(), &entry.value());
      for (const auto& [key, field] : sorted)
        flatten(*field, leaves);
      return;
    }
    case proto::StructuredValue::kNamedTupleValue:
      for (const auto& entry : value.named_tuple_value().values())
        flatten(entry.value(), leaves);
      return;
    default:
      leaves->push_back(&value);
  }
}

struct Arguments {
  std::vector<TensorSpec> tensors;
  std::string plain;  // what is no tensor, as bytes that can be compared
};

Arguments read_arguments(const proto::StructuredValue& signature, const std::string& name) {
  std::vector<const proto::StructuredValue*> leaves;
  flatten(signature, &leaves);
  Arguments arguments;
  for (const proto::StructuredValue* leaf : leaves) {
    if (!leaf->has_tensor_spec_value()) {
      arguments.plain += leaf->SerializeAsString() + "|";
      continue;
    }
    const proto::TensorSpecProto& spec = leaf->tensor_spec_value();
    arguments.tensors.push_back({shape_from_proto(spec.shape(), "function '" + name + "'"),
                                 dtype_from_proto(spec.dtype(), "function '" + name + "'"),
                                 spec.name().empty() ? "input" : spec.name()});
  }
  return arguments;
}

// The values that the trailing arguments of the Python function have by default.
std::string default_arguments(const proto::FunctionSpec& spec) {
  std::string plain;
  for (const auto& entry : spec.fullargspec().named_tuple_value().values()) {
    if (entry.key() != "defaults") continue;
    std::vector<const proto::StructuredValue*> leaves;
    flatten(entry.value(), &leaves);
    for (const auto* leaf : leaves)
      plain += leaf->SerializeAsString() + "|";
  }
  return plain;
}

std::shared_ptr<graph::Graph> read_concrete(ModelFile& file,
                                            const std::string& name,
                                            const proto::SavedConcreteFunction& saved,
                                            const std::vector<TensorSpec>& inputs) {
  Values captures;
  for (const int node : saved.bound_inputs())
    captures.push_back(file.captured(node));
  return import_function(file.meta().graph_def(), name, inputs, captures, file.resources());
}

}  // namespace

LoadedFunction read_function(ModelFile& file, const std::string& name, int node) {
  const proto::SavedFunction& function = file.objects().node(node).function();
  const std::string defaults = default_arguments(function.function_spec());
  auto loaded = std::make_shared<LoadedFunction::Impl>();
  loaded->name = name;
  for (const std::string& concrete_name : function.concrete_functions()) {
    const proto::SavedConcreteFunction* saved = file.objects().concrete_function(concrete_name);
    if (saved == nullptr) fail(Code::data_loss, "function '" + name + "': a graph is missing");
    const Arguments arguments =
        read_arguments(saved->canonicalized_input_signature(), concrete_name);
    auto graph = read_concrete(file, concrete_name, *saved, arguments.tensors);
    const auto at =
        arguments.plain == defaults ? loaded->functions.begin() : loaded->functions.end();
    loaded->functions.insert(at, concrete(std::move(graph), arguments.tensors, concrete_name));
  }
  if (loaded->functions.empty()) {
    fail(Code::not_found, "function '" + name + "' was saved without being traced");
  }
  return LoadedFunction(std::move(loaded));
}

std::vector<LoadedSignature> read_signatures(ModelFile& file) {
  std::vector<LoadedSignature> signatures;
  for (const proto::SignatureEntry& entry : file.meta().signature_def()) {
    if (entry.key().starts_with(kInternal)) continue;
    signatures.push_back(read_signature(file, entry.key(), entry.value()));
  }
  return signatures;
}

namespace {

void collect_variables(const graph::Graph& graph,
                       std::unordered_set<const VariableState*>* variables,
                       std::unordered_set<const graph::Graph*>* seen) {
  if (!seen->insert(&graph).second) return;
  for (const graph::Node& node : graph.nodes()) {
    if (node.variable != nullptr) variables->insert(node.variable.get());
    for (const auto& body : node.bodies)
      collect_variables(*body, variables, seen);
  }
}

// The variables that functions use: Keras stores most of its weights twice.
std::vector<Variable> used_variables(ModelFile& file,
                                     const std::vector<LoadedSignature>& signatures) {
  std::unordered_set<const VariableState*> used;
  std::unordered_set<const graph::Graph*> seen;
  for (const LoadedSignature& signature : signatures)
    collect_variables(*signature.function().impl()->trace->graph(), &used, &seen);
  for (const auto& [path, node] : file.objects().functions()) {
    for (const std::string& name : file.objects().node(node).function().concrete_functions()) {
      const proto::SavedConcreteFunction* saved = file.objects().concrete_function(name);
      if (saved == nullptr) continue;
      for (const int input : saved->bound_inputs()) {
        const auto handle = file.variable(input);
        if (handle != nullptr) used.insert(handle->variable.state().get());
      }
    }
  }
  std::vector<Variable> variables;
  const auto add = [&](const std::shared_ptr<Handle>& handle) {
    if (handle != nullptr && handle->variable.defined() &&
        used.erase(handle->variable.state().get()) != 0) {
      variables.push_back(handle->variable);
    }
  };
  for (int i = 0; i < file.objects().size(); ++i)
    add(file.variable(i));
  for (const auto& [name, handle] : file.resources().variables())
    add(handle);
  return variables;
}

SavedModel open_model(const auto& read,
                      const std::string& name,
                      const std::string& directory,
                      const saved_model::LoadOptions& options) {
  try {
    auto file = std::make_unique<ModelFile>(read(), directory, options);
    std::vector<LoadedSignature> signatures = read_signatures(*file);
    std::vector<Variable> variables = used_variables(*file, signatures);
    return SavedModel(Signatures(std::move(signatures)),
                      std::make_shared<SavedModel::Impl>(std::move(file), std::move(variables)));
  } catch (const Error& error) {
    ErrorInfo info = error.info();
    info.what = "cannot load '" + name + "': " + info.what;
    throw Error(info);
  }
}

}  // namespace

SavedModel parse_saved_model(std::string_view bytes, const std::string& name) {
  return open_model([&] { return parse_model(bytes); }, name, {}, {});
}

}  // namespace io

inline namespace v0 {
namespace saved_model {

SavedModel load(const std::string& directory, const LoadOptions& options) {
  const std::string path = platform::join_path(directory, io::kModelFile);
  return io::open_model([&] { return io::read_model(path); }, path, directory, options);
}

}  // namespace saved_model
}  // namespace v0
}  // namespace weir
