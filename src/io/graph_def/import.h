#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "io/proto/graph.pb.h"

namespace weir::io {

/// A tensor of a GraphDef that becomes an argument.
struct ImportedInput {
  std::string tensor;  ///< "x:0"
  TensorSpec spec;     ///< its dtype, shape and the argument's name
};

/// The part of a GraphDef that computes `outputs` ("y:0") from `inputs`. Everything else in it,
/// known or not, is left alone. Constants that are static operands become attributes; library
/// functions become bodies. Whatever `def` holds, the result is a graph that `verify` accepts, or
/// weir::Error: data_loss for a damaged graph, unimplemented for what Weir does not know.
std::shared_ptr<graph::Graph> import_graph(const proto::GraphDef& def,
                                           std::span<const ImportedInput> inputs,
                                           std::span<const std::string> outputs,
                                           const std::string& name);

}  // namespace weir::io
