#pragma once

#include <string>
#include <vector>

#include "io/checkpoint/object_graph.h"
#include "io/proto/graph.pb.h"

namespace weir::io {

/// A function of the library that gives variables their values in a checkpoint: its arguments are
/// the checkpoint's prefix and one resource for each variable, its result is the prefix.
proto::FunctionDef restore_function(const std::string& name,
                                    const std::vector<checkpoint::NamedVariable>& variables);

}  // namespace weir::io
