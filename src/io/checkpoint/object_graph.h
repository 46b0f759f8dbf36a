#pragma once

/// The objects of a checkpoint as a graph: what `_CHECKPOINTABLE_OBJECT_GRAPH` holds.

#include <weir/checkpoint.h>

#include <string>
#include <string_view>
#include <vector>

#include "io/proto/checkpoint.pb.h"

namespace weir::io::checkpoint {

inline constexpr std::string_view kGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH";
inline constexpr std::string_view kValue = "VARIABLE_VALUE";

struct NamedVariable {
  std::string key;  // "model/dense/_kernel/.ATTRIBUTES/VARIABLE_VALUE"
  Variable variable;
};

struct ObjectGraph {
  proto::TrackableObjectGraph proto;
  std::vector<NamedVariable> variables;
};

/// All objects that can be reached from `root`, breadth first. Errors: names that are not UTF-8.
ObjectGraph collect(const Trackable& root);

struct Match {
  std::vector<NamedVariable> variables;  // with the keys of the checkpoint
  std::vector<std::string> unused;       // keys
  std::vector<std::string> missing;      // keys that the variables would have
};

/// Follows the names of children in both graphs from their roots. Objects that make variables from
/// those of others are built on the way. Error (`data_loss`): references to nodes that do not
/// exist.
Match match(const Trackable& root,
            const proto::TrackableObjectGraph& saved,
            const std::string& what);

/// Finds each variable's value by its name.
Match match_names(const Trackable& root, const std::vector<std::string>& names);

}  // namespace weir::io::checkpoint
