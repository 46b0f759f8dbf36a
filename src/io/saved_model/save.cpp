#include <weir/saved_model.h>

#include "function/concrete.h"
#include "io/file/file.h"
#include "io/graph_def/export.h"
#include "io/proto/saved_model.pb.h"
#include "io/saved_model/layout.h"
#include "io/saved_model/save_parts.h"
#include "platform/file_writer.h"

namespace weir::inline v0 {
namespace {

using graph::Graph;

using io::add_tensor_info;
using io::names_for;
using io::refuse_to_save;
using io::sort_by_key;

void add_signature(const ModelSignature& signature, bool only_one, proto::MetaGraphDef* meta) {
  const std::shared_ptr<Graph>& graph = signature.function.impl()->trace->graph();
  if (!signature.function.impl()->trace->captures().empty()) {
    refuse_to_save("the function '" + graph->name() + "' uses tensors of an enclosing trace");
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
  def->set_method_name(io::kPredict);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    add_tensor_info(def->mutable_inputs(), input_names[i], tensors.inputs[i], inputs[i]);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    add_tensor_info(def->mutable_outputs(), output_names[i], tensors.outputs[i], outputs[i]);
  }
  sort_by_key(def->mutable_inputs());
  sort_by_key(def->mutable_outputs());
}

std::string serialise(const std::vector<ModelSignature>& signatures) {
  proto::SavedModel model;
  model.set_saved_model_schema_version(1);
  proto::MetaGraphDef* meta = model.add_meta_graphs();
  io::set_meta_info(meta);
  for (const ModelSignature& signature : signatures) {
    add_signature(signature, signatures.size() == 1, meta);
  }
  sort_by_key(meta->mutable_signature_def());
  return io::serialise(model);
}

}  // namespace

namespace saved_model {

void save(const std::string& directory, const std::vector<ModelSignature>& signatures) {
  io::check_names(signatures);
  const std::string bytes = serialise(signatures);
  platform::AtomicDirectory target;
  io::check(target.open(directory, io::kModelEntries));
  io::write_model_file(target.staging(), bytes);
  io::check(target.commit());
}

}  // namespace saved_model
}  // namespace weir::inline v0
