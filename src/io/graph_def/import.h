#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "io/graph_def/resources.h"
#include "io/proto/graph.pb.h"

namespace weir::io {

/// A tensor of a GraphDef that becomes an argument.
struct ImportedInput {
  std::string tensor;  ///< "x:0"
  TensorSpec spec;     ///< its dtype, shape and the argument's name
};

/// The part of a GraphDef that computes `outputs` ("y:0") from `inputs`. Everything else in it,
/// known or not, is left alone. Constants that are static operands become attributes; library
/// functions become bodies, or are read in the place of their call where they take variables or
/// lists of tensors. Whatever `def` holds, the result is a graph that `verify` accepts, or
/// weir::Error: data_loss for a damaged graph, unimplemented for what Weir does not know.
std::shared_ptr<graph::Graph> import_graph(const proto::GraphDef& def,
                                           std::span<const ImportedInput> inputs,
                                           std::span<const std::string> outputs,
                                           const std::string& name,
                                           Resources& resources);

/// A function of the library as a graph: of its arguments the first are inputs, the others captured
/// values. Throws as import_graph does.
std::shared_ptr<graph::Graph> import_function(const proto::GraphDef& def,
                                              const std::string& function,
                                              std::span<const TensorSpec> inputs,
                                              std::span<const Value> captures,
                                              Resources& resources);

/// A tensor of a GraphDef that is given, not computed.
struct Feed {
  std::string tensor;
  Tensor value;
};

/// Runs what these nodes or tensors need, once and now: what gives variables their values.
void run_nodes(const proto::GraphDef& def,
               std::span<const Feed> feeds,
               std::span<const std::string> nodes,
               Resources& resources);

/// Calls a function of the library, once and now.
Values run_function(const proto::GraphDef& def,
                    const std::string& function,
                    const Values& arguments,
                    Resources& resources);

}  // namespace weir::io
