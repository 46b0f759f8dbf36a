#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/proto/saved_model.pb.h"

namespace weir::io {

/// The object that was saved: a graph of named children, read with care for damage.
class ObjectGraph {
 public:
  /// Both must outlive it. `stored`: the object graph of the checkpoint, empty if there is none.
  /// Throws weir::Error (data_loss) for ids out of range.
  ObjectGraph(const proto::SavedObjectGraph& saved, const proto::TrackableObjectGraph& stored);

  const proto::SavedObject& node(int id) const { return saved_.nodes(id); }
  int size() const { return saved_.nodes_size(); }
  /// Under which the checkpoint has the variable that a node is; empty: it has none.
  const std::string& checkpoint_key(int id) const;
  /// The functions that can be reached, by path: "__call__", "encoder.call". Each under the
  /// shortest path.
  const std::map<std::string, int>& functions() const { return functions_; }
  /// Null if there is none.
  const proto::SavedConcreteFunction* concrete_function(const std::string& name) const;
  /// The child of a node, -1 if it has none of this name.
  int child(int id, std::string_view name) const;

 private:
  void match_checkpoint(const proto::TrackableObjectGraph& stored);
  void find_functions();

  const proto::SavedObjectGraph& saved_;
  std::vector<std::string> keys_;
  std::map<std::string, int> functions_;
  std::map<std::string_view, const proto::SavedConcreteFunction*> concrete_;
};

}  // namespace weir::io
