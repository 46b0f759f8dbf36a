#include "io/saved_model/load.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

#include "function/concrete.h"
#include "io/file/file.h"
#include "io/graph_def/import.h"
#include "io/graph_def/tensor_proto.h"
#include "io/proto/saved_model.pb.h"
#include "io/saved_model/layout.h"
#include "platform/file.h"

namespace weir {
inline namespace v0 {

struct LoadedSignature::Impl {
  std::string name;
  std::vector<TensorSpec> outputs;
  ConcreteFunction function;
};

}  // namespace v0

namespace io {
namespace {

// The signature that TensorFlow writes for what runs after loading; it is no function of the model.
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

LoadedSignature read_signature(const proto::MetaGraphDef& meta,
                               const std::string& name,
                               const proto::SignatureDef& def) {
  const std::string what = "signature '" + name + "'";
  std::vector<ImportedInput> inputs;
  tracing::Signature signature;
  for (NamedTensor& input : read_infos(def.inputs(), what)) {
    signature.specs.push_back({input.spec.dtype, input.spec.shape});
    inputs.push_back({input.tensor, input.spec});
  }
  std::vector<TensorSpec> outputs;
  std::vector<std::string> tensors;
  for (NamedTensor& output : read_infos(def.outputs(), what)) {
    outputs.push_back(output.spec);
    tensors.push_back(output.tensor);
  }
  auto graph = import_graph(meta.graph_def(), inputs, tensors, name);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (graph->spec(graph->outputs[i]).dtype == outputs[i].dtype) continue;
    fail(Code::data_loss, what + ": the result '" + outputs[i].name + "' has another dtype");
  }
  auto trace = std::make_shared<tracing::Trace>(std::move(signature),
                                                std::move(graph),
                                                std::vector<Tensor>{},
                                                std::vector<std::size_t>{},
                                                FunctionOptions{.name = name});
  const ConcreteFunction function(std::make_shared<ConcreteFunction::Impl>(std::move(trace)));
  return LoadedSignature(std::make_shared<LoadedSignature::Impl>(
      LoadedSignature::Impl{name, std::move(outputs), function}));
}

const proto::MetaGraphDef& serving_graph(const proto::SavedModel& model, const std::string& name) {
  for (const proto::MetaGraphDef& meta : model.meta_graphs()) {
    const auto& tags = meta.meta_info_def().tags();
    if (tags.size() == 1 && tags[0] == kServeTag) return meta;
  }
  fail(Code::not_found, "'" + name + "' has no graph with the tag 'serve'");
}

[[noreturn]] void throw_damaged(const std::string& name) {
  fail(Code::data_loss, "'" + name + "' is damaged, or no SavedModel");
}

// A file for the parser, piece by piece: the whole of it, beside what was parsed, would double the
// memory that a large model takes to load.
class FilePieces : public google::protobuf::io::CopyingInputStream {
 public:
  explicit FilePieces(platform::InputFile* file) : file_(file) {}
  int Read(void* buffer, int size) override {
    std::size_t got = 0;
    status_ = file_->read({static_cast<char*>(buffer), static_cast<std::size_t>(size)}, &got);
    return status_.ok() ? static_cast<int>(got) : -1;
  }
  const platform::FileStatus& status() const { return status_; }

 private:
  platform::InputFile* file_;
  platform::FileStatus status_;
};

proto::SavedModel parse_file(const std::string& path) {
  platform::InputFile file;
  check(platform::InputFile::open(path, &file));
  if (file.size() > INT32_MAX) throw_damaged(path);
  constexpr int kPiece = 1 << 16;
  FilePieces pieces(&file);
  google::protobuf::io::CopyingInputStreamAdaptor stream(&pieces, kPiece);
  proto::SavedModel model;
  const bool parsed = model.ParseFromZeroCopyStream(&stream);
  check(pieces.status());
  if (!parsed) throw_damaged(path);
  return model;
}

SavedModel from_proto(const proto::SavedModel& model, const std::string& name) {
  const proto::MetaGraphDef& meta = serving_graph(model, name);
  std::vector<LoadedSignature> signatures;
  try {
    for (const proto::SignatureEntry& entry : meta.signature_def()) {
      if (entry.key().starts_with(kInternal)) continue;
      signatures.push_back(read_signature(meta, entry.key(), entry.value()));
    }
  } catch (const Error& error) {
    ErrorInfo info = error.info();
    info.what = "cannot load '" + name + "': " + info.what;
    throw Error(info);
  }
  return SavedModel(std::move(signatures));
}

}  // namespace

SavedModel parse_saved_model(std::string_view bytes, const std::string& name) {
  proto::SavedModel model;
  if (bytes.size() > INT32_MAX ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw_damaged(name);
  }
  return from_proto(model, name);
}

SavedModel load_saved_model(const std::string& path) {
  return from_proto(parse_file(path), path);
}

}  // namespace io

inline namespace v0 {

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

NamedTensors LoadedSignature::call(const NamedTensors& arguments) const {
  const std::string what = "signature '" + name() + "': ";
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
    info.what = what + "an argument is missing or unknown";
    info.got = got;
    info.expected = wanted;
    throw Error(info);
  }
  std::vector<Tensor> results = impl_->function(values);
  NamedTensors named;
  for (std::size_t i = 0; i < results.size(); ++i) {
    named.emplace_back(outputs()[i].name, std::move(results[i]));
  }
  return named;
}

const LoadedSignature& SavedModel::signature(std::string_view name) const {
  std::string names;
  for (const LoadedSignature& signature : signatures_) {
    if (signature.name() == name) return signature;
    names += (names.empty() ? "" : ", ") + signature.name();
  }
  ErrorInfo info;
  info.code = Code::not_found;
  info.what = "the model has no signature '" + std::string(name) + "'";
  info.expected = names.empty() ? "it has none" : "one of " + names;
  throw Error(info);
}

SavedModel load_model(const std::string& directory) {
  const std::string path = platform::join_path(directory, io::kModelFile);
  return io::load_saved_model(path);
}

}  // namespace v0
}  // namespace weir
