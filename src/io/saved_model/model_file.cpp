#include "io/saved_model/model_file.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <charconv>

#include "io/file/file.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/import.h"
#include "io/graph_def/tensor_proto.h"
#include "io/graph_def/unsupported.h"
#include "io/saved_model/layout.h"
#include "platform/file.h"
#include "tensor/variable_state.h"

namespace weir::io {
namespace {

constexpr const char* kObjectGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH";
constexpr const char* kInitSignature = "__saved_model_init_op";

Tensor text(const std::string& value) {
  return Tensor::strings({value}, Shape{});
}

const proto::MetaGraphDef* find_meta(const proto::SavedModel& model,
                                     const std::vector<std::string>& wanted) {
  for (const proto::MetaGraphDef& meta : model.meta_graphs()) {
    const auto& tags = meta.meta_info_def().tags();
    const bool all = std::all_of(wanted.begin(), wanted.end(), [&](const std::string& tag) {
      return std::find(tags.begin(), tags.end(), tag) != tags.end();
    });
    if (all && tags.size() == static_cast<int>(wanted.size())) return &meta;
  }
  std::string list;
  for (const std::string& tag : wanted)
    list += (list.empty() ? "" : ", ") + tag;
  fail(Code::not_found, "no graph has the tags '" + list + "'");
}

// "10 20 0,5:-": the full shape, then of each dimension begin and length, or - for all of it.
bundle::Part parse_slice(const std::string& slice) {
  const auto damaged = [&] {
    fail(Code::data_loss, "the slice '" + slice.substr(0, 100) + "' is damaged");
  };
  std::vector<std::int64_t> shape;
  const char* at = slice.data();
  const char* end = at + slice.size();
  const auto number = [&] {
    std::int64_t value = 0;
    const auto [last, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 0) damaged();
    at = last;
    return value;
  };
  const std::size_t space = slice.rfind(' ');
  if (space == std::string::npos) damaged();
  while (at < slice.data() + space) {
    shape.push_back(number());
    if (at < end && *at == ' ') ++at;
  }
  bundle::Part part;
  for (const std::int64_t length : shape) {
    const bool whole = at < end && *at == '-';
    if (whole) ++at;
    part.begin.push_back(whole ? 0 : number());
    if (!whole && (at == end || *at++ != ',')) damaged();
    part.size.push_back(whole ? length : number());
    if (at < end && *at++ != ':') damaged();
  }
  if (at != end) damaged();
  return part;
}

bool plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\:\0", 4)) == std::string::npos;
}

}  // namespace

namespace {

[[noreturn]] void throw_damaged() {
  fail(Code::data_loss, "it is damaged, or no SavedModel");
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

}  // namespace

proto::SavedModel parse_model(std::string_view bytes) {
  proto::SavedModel model;
  if (bytes.size() > INT32_MAX ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw_damaged();
  }
  return model;
}

proto::SavedModel read_model(const std::string& path) {
  platform::InputFile file;
  check(platform::InputFile::open(path, &file));
  if (file.size() > INT32_MAX) throw_damaged();
  constexpr int kPiece = 1 << 16;
  FilePieces pieces(&file);
  google::protobuf::io::CopyingInputStreamAdaptor stream(&pieces, kPiece);
  proto::SavedModel model;
  const bool parsed = model.ParseFromZeroCopyStream(&stream);
  check(pieces.status());
  if (!parsed) throw_damaged();
  return model;
}

ModelFile::ModelFile(proto::SavedModel model,
                     const std::string& directory,
                     const saved_model::LoadOptions& options)
    : directory_(directory),
      model_(std::move(model)),
      resources_(
          [this](const std::string& key, const std::string& slice) { return stored(key, slice); },
          [this](const std::string& path) { return asset(path); }) {
  meta_ = find_meta(model_, options.tags);
  open_bundle();
  objects_.emplace(meta_->object_graph_def(), stored_objects_);
  restore();
  initialise();
  name_variables();
}

void ModelFile::open_bundle() {
  if (directory_.empty()) return;
  const std::string prefix = platform::join_path(directory_, "variables/variables");
  if (!bundle::exists(prefix)) return;
  bundle_.emplace(prefix);
  if (bundle_->find(kObjectGraphKey) == nullptr) return;
  const Tensor graph = bundle_->read(kObjectGraphKey);
  if (graph.dtype() != DType::string || graph.size() != 1) {
    fail(Code::data_loss, "the checkpoint's object graph is no text");
  }
  const std::string_view bytes = graph.data<StringView>()[0];
  if (!stored_objects_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(Code::data_loss, "the checkpoint's object graph is damaged");
  }
}

Tensor ModelFile::stored(const std::string& key, const std::string& slice) const {
  if (!bundle_) fail(Code::not_found, "the model has no checkpoint, and '" + key + "' is read");
  return slice.empty() ? bundle_->read(key) : bundle_->read(key, parse_slice(slice));
}

std::string ModelFile::asset_path(const proto::AssetFileDef& asset) const {
  if (!plain_name(asset.filename())) {
    fail(Code::data_loss, "an asset outside the model's directory");
  }
  return platform::join_path(platform::join_path(directory_, "assets"), asset.filename());
}

std::string ModelFile::asset(const std::string& path) const {
  const auto& assets = meta_->asset_file_def();
  const bool known = std::any_of(
      assets.begin(), assets.end(), [&](const auto& asset) { return asset_path(asset) == path; });
  if (!known) fail(Code::data_loss, "it reads a file that is no asset of the model");
  return read_file(path);
}

// The graph says itself which stored tensor goes to which variable.
void ModelFile::restore() {
  const proto::SaverDef& saver = meta_->saver_def();
  if (!bundle_ || saver.restore_op_name().empty()) return;
  const Feed feed{saver.filename_tensor_name(), text(directory_)};
  const std::string target[] = {saver.restore_op_name()};
  check_supported(meta_->graph_def(), target);
  run_nodes(meta_->graph_def(), {&feed, 1}, target, resources_);
}

const std::string* first_node(const proto::MetaGraphDef& meta, std::string_view collection) {
  for (const proto::CollectionEntry& entry : meta.collection_def()) {
    const auto& nodes = entry.value().node_list().value();
    if (entry.key() == collection && nodes.size() == 1) return &nodes[0];
  }
  return nullptr;
}

// What fills tables, and in a model without checkpoint the variables.
const std::string* initial_node(const proto::MetaGraphDef& meta) {
  for (const proto::SignatureEntry& entry : meta.signature_def()) {
    if (entry.key() != kInitSignature) continue;
    for (const proto::TensorInfoEntry& output : entry.value().outputs()) {
      if (output.key() == kInitSignature) return &output.value().name();
    }
  }
  const std::string* node = first_node(meta, "saved_model_main_op");
  return node != nullptr ? node : first_node(meta, "legacy_init_op");
}

void ModelFile::initialise() {
  const std::string* target = initial_node(*meta_);
  if (target == nullptr) return;
  // An initial function that cannot be read fills a table that cannot be used either.
  if (!unsupported_ops(meta_->graph_def(), {target, 1}).empty()) return;
  std::vector<Feed> feeds;
  for (const proto::AssetFileDef& asset : meta_->asset_file_def())
    feeds.push_back({asset.tensor_info().name(), text(asset_path(asset))});
  run_nodes(meta_->graph_def(), feeds, {target, 1}, resources_);
}

// What the object graph says of the variables: their names, and whether they are trained.
void ModelFile::name_variables() {
  for (const auto& [name, handle] : resources_.variables()) {
    if (!handle->key.empty()) by_key_.emplace(handle->key, handle);
    if (handle->variable.defined() && objects_->size() == 0) {
      handle->variable.set_trainable(is_floating(handle->dtype));
    }
  }
  for (int i = 0; i < objects_->size(); ++i) {
    if (!objects_->node(i).has_variable()) continue;
    const proto::SavedVariable& saved = objects_->node(i).variable();
    const std::shared_ptr<Handle> handle = variable(i);
    if (!handle->variable.defined()) continue;
    handle->variable.set_trainable(saved.trainable());
    if (saved.name().empty()) continue;
    handle->variable.state()->name = saved.name();
    // Of a variable that was saved by two names the checkpoint may restore one only.
    const std::shared_ptr<Handle> other = resources_.variable(saved.name(), handle->dtype);
    if (!other->variable.defined()) other->variable = handle->variable;
  }
}

std::shared_ptr<Handle> ModelFile::variable(int node) {
  if (!objects_->node(node).has_variable()) return nullptr;
  const std::string& key = objects_->checkpoint_key(node);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) return found->second;
  const proto::SavedVariable& saved = objects_->node(node).variable();
  const DType dtype = dtype_from_proto(saved.dtype(), "the variable '" + saved.name() + "'");
  const std::shared_ptr<Handle> handle = resources_.variable(saved.name(), dtype);
  if (key.empty() || handle->variable.defined()) return handle;
  handle->variable = Variable(stored(key, {}), saved.name());
  handle->key = key;
  by_key_.emplace(key, handle);
  return handle;
}

Value ModelFile::captured(int node) {
  const proto::SavedObject& object = objects_->node(node);
  if (object.has_variable()) return variable(node);
  if (object.has_constant()) {
    const auto& nodes = meta_->graph_def().node();
    const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const auto& def) {
      return def.name() == object.constant().operation();
    });
    if (found == nodes.end() || found->op() != "Const") {
      fail(Code::data_loss, "a function captures a constant that is not there");
    }
    return constant_value(*found);
  }
  if (object.has_asset()) {
    const int index = object.asset().asset_file_def_index();
    if (index < 0 || index >= meta_->asset_file_def_size()) fail(Code::data_loss, "no such asset");
    return Value(text(asset_path(meta_->asset_file_def(index))));
  }
  const int create = objects_->child(node, "_create_resource");
  if (create < 0 || !objects_->node(create).has_function() ||
      objects_->node(create).function().concrete_functions_size() == 0) {
    fail(Code::unimplemented, "a function captures an object that is no variable or table");
  }
  const std::string& function = objects_->node(create).function().concrete_functions(0);
  const Values made = run_function(meta_->graph_def(), function, {}, resources_);
  if (made.size() != 1) fail(Code::data_loss, "a function that makes no resource");
  return made[0];
}

}  // namespace weir::io
