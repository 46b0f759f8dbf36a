#include <weir/saved_model.h>

#include <algorithm>
#include <set>

#include "base/utf8.h"
#include "function/concrete.h"
#include "io/file/file.h"
#include "io/graph_def/export.h"
#include "io/graph_def/tensor_proto.h"
#include "io/proto/saved_model.pb.h"
#include "io/saved_model/layout.h"
#include "platform/file.h"
#include "platform/file_writer.h"

namespace weir::inline v0 {
namespace {

using graph::Graph;

constexpr std::size_t kMaxBytes = std::size_t{1} << 31;
// A version of TensorFlow 2 that every loader takes; it must read as a Python version number.
constexpr const char* kTensorFlowVersion = "2.14.0";
constexpr const char* kPredict = "tensorflow/serving/predict";

[[noreturn]] void fail(const std::string& what, const std::string& fix = {}) {
  io::fail(Code::invalid_argument, "save_model: " + what, fix);
}

// The names a signature gives, checked; or those of the function, made different from each other.
std::vector<std::string> names_for(const std::vector<TensorSpec>& specs,
                                   const std::vector<std::string>& given,
                                   const std::string& what) {
  if (!given.empty() && given.size() != specs.size()) {
    fail(std::to_string(given.size()) + " names for " + std::to_string(specs.size()) + " " + what);
  }
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    std::string name = given.empty() ? specs[i].name : given[i];
    if (name.empty() || !is_utf8(name)) fail("one of the " + what + " has no name in UTF-8");
    if (!taken.insert(name).second) {
      if (!given.empty()) fail("the name '" + name + "' is there twice among the " + what);
      name += "_" + std::to_string(i);
      taken.insert(name);
    }
    names.push_back(name);
  }
  return names;
}

void add_tensor_info(google::protobuf::RepeatedPtrField<proto::TensorInfoEntry>* map,
                     const std::string& key,
                     const std::string& tensor,
                     const TensorSpec& spec) {
  proto::TensorInfoEntry* entry = map->Add();
  entry->set_key(key);
  entry->mutable_value()->set_name(tensor);
  entry->mutable_value()->set_dtype(static_cast<proto::DataType>(spec.dtype));
  io::to_proto(spec.shape, entry->mutable_value()->mutable_tensor_shape());
}

// Files keep maps sorted, so that the same model gives the same bytes.
void sort_by_key(auto* map) {
  std::sort(
      map->begin(), map->end(), [](const auto& a, const auto& b) { return a.key() < b.key(); });
}

void add_signature(const ModelSignature& signature, bool only_one, proto::MetaGraphDef* meta) {
  const std::shared_ptr<Graph>& graph = signature.function.impl()->trace->graph();
  if (!signature.function.impl()->trace->captures().empty()) {
    fail("the function '" + graph->name() + "' uses tensors of an enclosing trace");
  }
  const std::vector<TensorSpec>& inputs = signature.function.inputs();
  const std::vector<TensorSpec> outputs = signature.function.outputs();
  const auto input_names = names_for(inputs, signature.inputs, "inputs");
  const auto output_names = names_for(outputs, signature.outputs, "outputs");
  io::ExportOptions options;
  if (!only_one) options.name_prefix = signature.name + "/";
  const io::ExportedNames tensors = io::export_graph(*graph, options, meta->mutable_graph_def());
  proto::SignatureEntry* entry = meta->add_signature_def();
  entry->set_key(signature.name);
  proto::SignatureDef* def = entry->mutable_value();
  def->set_method_name(kPredict);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    add_tensor_info(def->mutable_inputs(), input_names[i], tensors.inputs[i], inputs[i]);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    add_tensor_info(def->mutable_outputs(), output_names[i], tensors.outputs[i], outputs[i]);
  }
  sort_by_key(def->mutable_inputs());
  sort_by_key(def->mutable_outputs());
}

void check_names(const std::vector<ModelSignature>& signatures) {
  if (signatures.empty()) fail("no signature", "pass at least one");
  std::set<std::string> names;
  for (const ModelSignature& signature : signatures) {
    const bool plain = !signature.name.empty() &&
                       std::all_of(signature.name.begin(), signature.name.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '_';
                       });
    if (!plain) fail("'" + signature.name + "' is no name for a signature", "use letters and _");
    if (!names.insert(signature.name).second) fail("two signatures '" + signature.name + "'");
  }
}

std::string serialise(const std::vector<ModelSignature>& signatures) {
  proto::SavedModel model;
  model.set_saved_model_schema_version(1);
  proto::MetaGraphDef* meta = model.add_meta_graphs();
  meta->mutable_meta_info_def()->add_tags(io::kServeTag);
  meta->mutable_meta_info_def()->set_tensorflow_version(kTensorFlowVersion);
  for (const ModelSignature& signature : signatures) {
    add_signature(signature, signatures.size() == 1, meta);
  }
  sort_by_key(meta->mutable_signature_def());
  if (model.ByteSizeLong() >= kMaxBytes) {
    io::fail(Code::resource_exhausted, "save_model: a graph with its constants of 2 GiB or more");
  }
  return model.SerializeAsString();
}

}  // namespace

namespace saved_model {

void save(const std::string& directory, const std::vector<ModelSignature>& signatures) {
  check_names(signatures);
  const std::string bytes = serialise(signatures);
  platform::AtomicDirectory target;
  io::check(target.open(directory, io::kModelEntries));
  platform::AppendFile file;
  const std::string path = platform::join_path(target.staging(), io::kModelFile);
  io::check(platform::AppendFile::create(path, &file));
  io::check(file.append(bytes));
  io::check(file.close());
  io::check(target.commit());
}

}  // namespace saved_model
}  // namespace weir::inline v0
