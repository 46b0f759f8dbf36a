#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/builder.h"
#include "leaf/onnx/constant.h"
#include "leaf/onnx/context.h"

namespace weir::onnx_io {

/// Versions of the operator sets, by domain.
using Opsets = std::map<std::string, int, std::less<>>;

/// The names that nodes see. A sub-graph's scope has that around it as parent; a function's has
/// none.
struct Scope {
  const Scope* parent = nullptr;
  const Opsets* opsets = nullptr;
  const CallAttrs* attrs = nullptr;
  std::unordered_map<std::string, Value> values = {};

  const Value* find(const std::string& name) const;
};

/// Arguments of a call for which a model is read: their shapes, and the values of some, become
/// known. level 0: shapes only; 1: values of short lists of integers too; 2: of short lists of any
/// type.
struct Known {
  std::vector<Tensor> arguments;
  int level = 0;
  /// Is the value of this argument a constant of the graph?
  bool fixes(const Tensor& argument) const;
};

/// A model as a graph, and what its arguments and results are called.
struct ImportedModel {
  std::shared_ptr<graph::Graph> graph;
  std::string name;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  /// Not empty: what is missing, though it may become possible once shapes and values are known.
  /// There is no graph then.
  std::string obstacle;
};

/// Reads graphs, functions and sub-graphs into the graph under construction.
class GraphReader {
 public:
  /// `known`: null, or what is known of the arguments.
  GraphReader(const onnx_proto::ModelProto& model, DataFiles files, const Known* known);

  ImportedModel read();
  /// The results of a sub-graph, for converters.
  Values run(const onnx_proto::GraphProto& graph, const Values& arguments, const Scope& outer);
  const DataFiles& files() const { return files_; }

 private:
  using Nodes = google::protobuf::RepeatedPtrField<onnx_proto::NodeProto>;

  void read_initializers(const onnx_proto::GraphProto& graph, Scope* scope);
  void read_inputs(const onnx_proto::GraphProto& graph, Scope* scope, ImportedModel* model);
  Value read_input(const onnx_proto::ValueInfoProto& info, ImportedModel* model);
  Shape input_shape(const onnx_proto::TypeProto::Tensor& type, const std::string& what);
  void read_nodes(const Nodes& nodes, Scope* scope);
  void read_node(const onnx_proto::NodeProto& node, Scope* scope);
  void note_missing(const onnx_proto::NodeProto& node,
                    const std::vector<Value>& inputs,
                    const Error& error);
  ImportedModel without_graph(ImportedModel model);
  Values convert(const onnx_proto::NodeProto& node, const Scope& scope, std::vector<Value> inputs);
  Values convert_op(const onnx_proto::NodeProto& node,
                    const Scope& scope,
                    std::vector<Value> inputs);
  Values call(const onnx_proto::FunctionProto& function,
              const onnx_proto::NodeProto& node,
              const Scope& scope,
              std::vector<Value> inputs);
  const onnx_proto::FunctionProto* find_function(const onnx_proto::NodeProto& node) const;
  void read_outputs(const onnx_proto::GraphProto& graph,
                    const Scope& scope,
                    ImportedModel* model,
                    std::vector<Tensor>* results);

  const onnx_proto::ModelProto& model_;
  DataFiles files_;
  Opsets opsets_;
  std::map<std::string, const onnx_proto::FunctionProto*, std::less<>> functions_;
  std::set<std::string> open_functions_;
  std::map<std::string, Dim, std::less<>> symbols_;
  const Known* known_;
  std::vector<std::string> missing_;  // what nodes need and Weir does not have
  bool curable_ = true;               // all of that may be there for known shapes and values
  std::shared_ptr<graph::Builder> builder_;
  std::int64_t nodes_read_ = 0;
  int depth_ = 0;
};

/// The ops that the model uses, in any graph of it, and Weir has no converter for: "Foo", or
/// "some.domain::Foo".
std::vector<std::string> unsupported_ops(const onnx_proto::ModelProto& model);

/// A parsed file.
class ModelFile {
 public:
  /// Throws weir::Error: data_loss for a damaged file; unimplemented with all ops that are missing.
  ModelFile(std::string_view bytes, DataFiles files, std::string name);
  /// Throws weir::Error.
  ImportedModel read(const Known* known) const;

 private:
  onnx_proto::ModelProto proto_;
  DataFiles files_;
  std::string name_;
};

}  // namespace weir::onnx_io
