#pragma once

#include <weir/onnx.h>

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "graph/graph.h"
#include "leaf/onnx/onnx.pb.h"
#include "leaf/onnx/value.h"

namespace weir::onnx_io {

/// Names of values in an ONNX graph.
using ValueNames = std::vector<std::string>;
using Ints64 = std::vector<std::int64_t>;
using AttrValue = std::variant<std::int64_t, float, std::string, Ints64>;
using NamedAttrs = std::vector<std::pair<const char*, AttrValue>>;

/// Writes one graph or, of a branch or loop, sub-graph.
class GraphWriter {
 public:
  GraphWriter(onnx_proto::GraphProto* graph, GraphWriter* outer, int opset);

  int opset() const { return opset_; }
  onnx_proto::GraphProto& graph() { return *graph_; }
  /// A name that no value of the model has.
  std::string unique(const std::string& wanted);
  /// An initializer.
  std::string constant(const Tensor& value, const std::string& name = "const");
  std::string ints(const Ints64& values) { return constant(Tensor::from(values), "ints"); }
  /// A scalar of a dtype.
  std::string number(double value, DType dtype);
  /// Appends a node; the name of its one result.
  std::string emit(const char* op, const ValueNames& inputs, const NamedAttrs& attrs = {});
  ValueNames emit_many(const char* op,
                       const ValueNames& inputs,
                       const NamedAttrs& attrs,
                       std::size_t outputs);
  /// Makes the next nodes carry this name.
  void set_scope(const std::string& name) { scope_ = name; }

  /// The value [n, h, w, c] as [n, c, h, w]: without a node where it was computed so.
  std::string channels_first(const std::string& value);
  /// The value [n, c, h, w] as [n, h, w, c].
  std::string channels_last(const std::string& value);
  /// Empty: the value was not computed channels first.
  std::string known_channels_first(const std::string& value) const;
  /// The initializer of this name, here or in a graph around; null: it is computed.
  const Tensor* constant_value(const std::string& name) const;

  /// Writes the nodes of `body`, whose arguments are `arguments`; the names of its results.
  ValueNames write(const graph::Graph& body, const ValueNames& arguments);
  /// Removes nodes and initializers that no result of the graph needs.
  void prune();

 private:
  ValueNames write_node(const graph::Graph& body,
                        const graph::Node& node,
                        const ValueNames& inputs);
  ValueNames write_if(const graph::Node& node, const ValueNames& inputs);
  ValueNames write_case(const graph::Node& node, const ValueNames& inputs, std::size_t branch);
  ValueNames write_while(const graph::Node& node, const ValueNames& inputs);

  onnx_proto::GraphProto* graph_;
  GraphWriter* outer_;
  int opset_;
  std::string scope_;
  std::map<std::string, std::string> channels_first_;
  std::map<std::string, Tensor> constants_;
  std::map<const void*, std::string> constant_names_;  // by TensorImpl
  std::set<std::string> taken_;                        // of the outermost writer: all names
  std::map<std::string, int> next_suffix_;
};

/// An op node on its way out.
class OpExport {
 public:
  OpExport(GraphWriter& w, const graph::Graph& body, const graph::Node& node, ValueNames inputs)
      : w(w), body_(body), node_(node), inputs_(std::move(inputs)) {}

  GraphWriter& w;

  const std::string& op() const { return node_.op->name(); }
  std::size_t inputs() const { return own_inputs_count(); }
  const std::string& in(std::size_t i) const { return inputs_[i]; }
  ValueNames all() const { return {inputs_.begin(), inputs_.begin() + std::ptrdiff_t(inputs())}; }
  const Spec& spec(std::size_t i) const { return body_.spec(node_.inputs[i]); }
  DType dtype(std::size_t i = 0) const { return spec(i).dtype; }
  /// Unsupported if it is not known.
  std::int64_t rank(std::size_t i = 0) const;
  const Spec& out(std::size_t i = 0) const { return node_.outputs[i]; }
  std::size_t outputs() const { return node_.outputs.size(); }

  std::int64_t i(const char* name) const;
  double f(const char* name) const;
  bool flag(const char* name) const;
  std::string s(const char* name) const;
  bool has(const char* name) const;
  /// A list, or a static operand with its value; unsupported if that is computed.
  Ints64 list(const char* name) const;
  bool is_known(const char* name) const;
  /// A static operand as an int64 tensor.
  std::string operand(const char* name) const;

  [[noreturn]] void unsupported(const std::string& cause) const;

 private:
  const rt::Attr& attr(const char* name) const;
  std::size_t own_inputs_count() const;

  const graph::Graph& body_;
  const graph::Node& node_;
  ValueNames inputs_;
};

/// How an op of Weir becomes nodes of ONNX.
struct Exporter {
  const char* op;
  ValueNames (*write)(OpExport& e);
};
const Exporter* find_exporter(std::string_view op);

/// The bytes of a model.
std::string export_model(const graph::Graph& graph,
                         const std::vector<TensorSpec>& inputs,
                         const std::vector<TensorSpec>& outputs,
                         const onnx::SaveOptions& options);

std::span<const Exporter> elementwise_exporters();
std::span<const Exporter> array_exporters();
std::span<const Exporter> nn_exporters();

}  // namespace weir::onnx_io
