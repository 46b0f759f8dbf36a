#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/builder.h"
#include "io/graph_def/reference.h"
#include "io/graph_def/value.h"
#include "io/proto/graph.pb.h"

namespace weir::io {

class Library;
class Resources;
class NodeReader;

/// A node that is being read, and what it is given.
struct NodeCall {
  NodeReader& reader;
  const proto::NodeDef& def;
  Values inputs;

  /// An input as a tensor: a variable is read, a constant becomes a node of the graph. Throws
  /// weir::Error if there is none.
  Tensor tensor(std::size_t input) const;
  /// An input that must be a constant.
  Tensor constant(std::size_t input) const;
  Handle& variable(std::size_t input) const;
  const List& list(std::size_t input) const;
  const Value& value(std::size_t input) const;
};

/// Reads the nodes of one name space: into a graph, or running them at once.
class NodeReader {
 public:
  using Nodes = google::protobuf::RepeatedPtrField<proto::NodeDef>;

  /// `builder` null: every node runs as it is read.
  NodeReader(Library& library, const Nodes& nodes, graph::Builder* builder, bool in_function);

  /// Gives what is not computed here: an argument, or a tensor that is fed.
  void set(std::string_view node, int output, Value value) {
    given_[{node, output}] = std::move(value);
  }
  /// Reads what this output needs, in an order in which it can run.
  void read(const std::string& reference);
  /// An output that was read.
  Value value(const std::string& reference);

  Library& library() const { return library_; }
  Resources& resources() const;
  graph::Builder* builder() const { return builder_; }
  /// A constant stays a value until an operand needs a node: as a static operand it becomes an
  /// attribute.
  Tensor symbolic(const Tensor& value, const std::string& name) const;

 private:
  struct Result {
    Values values;
    const OpDef* op = nullptr;
    bool done = false;
  };
  struct Visit {
    int node;
    int next_input;
  };

  int node_of(const Reference& input) const;
  const Value* given(const Reference& input) const;
  Value lookup(const Reference& input) const;
  bool push_next_input(std::vector<Visit>* stack);
  void convert(int index);
  Values convert_node(const proto::NodeDef& def, const OpDef** op);
  Values convert_op(const NodeCall& call, const OpDef& op);
  Values data_inputs(const proto::NodeDef& def) const;
  std::size_t flat_output(const Result& result, const Reference& input) const;

  Library& library_;
  const Nodes& nodes_;
  graph::Builder* const builder_;
  const bool in_function_;
  std::unordered_map<std::string_view, int> index_;
  std::map<std::pair<std::string_view, int>, Value> given_;
  std::vector<Result> results_;
  std::vector<bool> open_;
};

/// How a kind of node that is no op of Weir is read.
using Converter = Values (*)(const NodeCall& call);
struct ConverterEntry {
  std::string_view op;
  Converter convert;
};
/// By kind: calls and control flow; variables; tables; lists; what is several ops; values and what
/// only looks.
std::span<const ConverterEntry> control_converters();
std::span<const ConverterEntry> variable_converters();
std::span<const ConverterEntry> table_converters();
std::span<const ConverterEntry> list_converters();
std::span<const ConverterEntry> composed_converters();
std::span<const ConverterEntry> plain_converters();
/// Null for an op of Weir's own, or one that is not known.
Converter find_converter(std::string_view op);
/// A node whose op is a function of the library.
Values call_function(const NodeCall& call, const std::string& function);

}  // namespace weir::io
