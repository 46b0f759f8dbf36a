#include "io/saved_model/save_parts.h"

#include <set>

#include "base/utf8.h"
#include "io/file/file.h"
#include "io/graph_def/tensor_proto.h"
#include "io/saved_model/layout.h"
#include "platform/file.h"
#include "platform/file_writer.h"

namespace weir::io {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 31;
// A version of TensorFlow 2 that every loader takes; it must read as a Python version number.
constexpr const char* kTensorFlowVersion = "2.14.0";

}  // namespace

void refuse_to_save(const std::string& what, const std::string& fix) {
  fail(Code::invalid_argument, "saved_model::save: " + what, fix);
}

std::vector<std::string> names_for(const std::vector<TensorSpec>& specs,
                                   const std::vector<std::string>& given,
                                   const std::string& what) {
  if (!given.empty() && given.size() != specs.size()) {
    refuse_to_save(std::to_string(given.size()) + " names for " + std::to_string(specs.size()) +
                   " " + what);
  }
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    std::string name = given.empty() ? specs[i].name : given[i];
    if (name.empty() || !is_utf8(name))
      refuse_to_save("one of the " + what + " has no name in UTF-8");
    if (!taken.insert(name).second) {
      if (!given.empty())
        refuse_to_save("the name '" + name + "' is there twice among the " + what);
      name += "_" + std::to_string(i);
      taken.insert(name);
    }
    names.push_back(name);
  }
  return names;
}

void check_names(const std::vector<ModelSignature>& signatures) {
  if (signatures.empty()) refuse_to_save("no signature", "pass at least one");
  std::set<std::string> names;
  for (const ModelSignature& signature : signatures) {
    const bool plain = !signature.name.empty() &&
                       std::all_of(signature.name.begin(), signature.name.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '_';
                       });
    if (!plain)
      refuse_to_save("'" + signature.name + "' is no name for a signature", "use letters and _");
    if (!names.insert(signature.name).second)
      refuse_to_save("two signatures '" + signature.name + "'");
  }
}

void set_meta_info(proto::MetaGraphDef* meta) {
  meta->mutable_meta_info_def()->add_tags(kServeTag);
  meta->mutable_meta_info_def()->set_tensorflow_version(kTensorFlowVersion);
}

void add_tensor_info(google::protobuf::RepeatedPtrField<proto::TensorInfoEntry>* map,
                     const std::string& key,
                     const std::string& tensor,
                     const TensorSpec& spec) {
  proto::TensorInfoEntry* entry = map->Add();
  entry->set_key(key);
  entry->mutable_value()->set_name(tensor);
  entry->mutable_value()->set_dtype(static_cast<proto::DataType>(spec.dtype));
  to_proto(spec.shape, entry->mutable_value()->mutable_tensor_shape());
}

std::string serialise(const proto::SavedModel& model) {
  if (model.ByteSizeLong() >= kMaxBytes) {
    fail(Code::resource_exhausted,
         "saved_model::save: a graph with its constants of 2 GiB or more");
  }
  return model.SerializeAsString();
}

void write_model_file(const std::string& directory, const std::string& bytes) {
  platform::AppendFile file;
  check(platform::AppendFile::create(platform::join_path(directory, kModelFile), &file));
  check(file.append(bytes));
  check(file.close());
}

}  // namespace weir::io
