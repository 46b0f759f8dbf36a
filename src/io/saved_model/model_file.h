#pragma once

#include <weir/saved_model.h>

#include <memory>
#include <optional>
#include <string>

#include "io/bundle/bundle.h"
#include "io/graph_def/resources.h"
#include "io/saved_model/object_graph.h"

namespace weir::io {

/// A saved_model.pb, in memory or on disk. Throws weir::Error.
proto::SavedModel parse_model(std::string_view bytes);
proto::SavedModel read_model(const std::string& path);

/// A SavedModel directory that was read: its graph, and its variables and tables with their values.
class ModelFile {
 public:
  /// `directory` empty: there is nothing but the graph. Throws weir::Error.
  ModelFile(proto::SavedModel model,
            const std::string& directory,
            const saved_model::LoadOptions& options);
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;

  const proto::MetaGraphDef& meta() const { return *meta_; }
  const ObjectGraph& objects() const { return *objects_; }
  Resources& resources() { return resources_; }
  /// What a node of the object graph is to a function that captured it.
  Value captured(int node);
  /// The variable that a node is; null if it is none.
  std::shared_ptr<Handle> variable(int node);

 private:
  Tensor stored(const std::string& key, const std::string& slice) const;
  std::string asset(const std::string& path) const;
  std::string asset_path(const proto::AssetFileDef& asset) const;
  void open_bundle();
  void restore();
  void initialise();
  void name_variables();

  const std::string directory_;
  proto::SavedModel model_;
  const proto::MetaGraphDef* meta_ = nullptr;
  std::optional<bundle::Reader> bundle_;
  proto::TrackableObjectGraph stored_objects_;
  std::optional<ObjectGraph> objects_;
  Resources resources_;
  std::map<std::string, std::shared_ptr<Handle>> by_key_;
};

}  // namespace weir::io
