#pragma once

#include <map>
#include <span>
#include <string>

#include "io/proto/graph.pb.h"

namespace weir::io {

/// The ops that `roots` ("y:0", "restore_all") need, in their graph or in functions, and that
/// cannot be read: how many nodes have each.
std::map<std::string, int> unsupported_ops(const proto::GraphDef& def,
                                           std::span<const std::string> roots);

/// Throws weir::Error (unimplemented) that names all of them, if there are any.
void check_supported(const proto::GraphDef& def, std::span<const std::string> roots);

}  // namespace weir::io
