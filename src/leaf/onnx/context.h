#pragma once

#include <weir/function.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "leaf/onnx/onnx.pb.h"
#include "leaf/onnx/value.h"

namespace weir::onnx_io {

class GraphReader;
struct Scope;

/// The attributes that a function was called with; those of its nodes may refer to them.
using CallAttrs = std::map<std::string, const onnx_proto::AttributeProto*, std::less<>>;

/// A node whose operands are known, as its converter sees it. Reading what is not there, or of
/// another kind, throws weir::Error: data_loss for a damaged model, unimplemented for what Weir
/// cannot do.
class NodeContext {
 public:
  NodeContext(GraphReader& reader,
              const Scope& scope,
              const onnx_proto::NodeProto& node,
              std::vector<Value> inputs,
              int opset)
      : reader_(reader), scope_(scope), node_(node), inputs_(std::move(inputs)), opset_(opset) {}

  const std::string& op() const { return node_.op_type(); }
  /// Version of the operator set of the node's domain.
  int opset() const { return opset_; }

  std::size_t inputs() const { return inputs_.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i].present(); }
  /// A tensor operand.
  const Tensor& in(std::size_t i) const;
  const Value& value(std::size_t i) const;
  const std::vector<Value>& values() const { return inputs_; }
  /// All operands, which must be tensors.
  std::vector<Tensor> tensors() const;
  /// Rank of operand i. Unsupported if it is not known.
  int rank(std::size_t i) const;
  /// The integers of an operand that must be a constant.
  std::vector<std::int64_t> constant_ints(std::size_t i) const;
  std::size_t outputs() const { return static_cast<std::size_t>(node_.output_size()); }
  bool wants(std::size_t i) const {
    return i < outputs() && !node_.output(static_cast<int>(i)).empty();
  }

  bool has_attr(std::string_view name) const { return attr(name) != nullptr; }
  std::int64_t i(std::string_view name, std::int64_t fallback) const;
  std::int64_t i(std::string_view name) const;
  bool flag(std::string_view name, bool fallback = false) const { return i(name, fallback) != 0; }
  float f(std::string_view name, float fallback) const;
  std::string s(std::string_view name, std::string_view fallback) const;
  std::vector<std::int64_t> ints(std::string_view name,
                                 std::vector<std::int64_t> fallback = {}) const;
  std::vector<float> floats(std::string_view name) const;
  std::vector<std::string> strings(std::string_view name) const;
  Value tensor(std::string_view name) const;
  Value sparse_tensor(std::string_view name) const;
  const onnx_proto::GraphProto& graph(std::string_view name) const;

  /// The results of a graph of this node for these arguments, as part of the graph under
  /// construction. It sees the names around the node.
  Values run(const onnx_proto::GraphProto& graph, const Values& arguments) const;

  [[noreturn]] void damaged(const std::string& cause) const;
  [[noreturn]] void unsupported(const std::string& cause) const;

 private:
  const onnx_proto::AttributeProto* attr(std::string_view name) const;
  const onnx_proto::AttributeProto* attr(std::string_view name, int type) const;

  GraphReader& reader_;
  const Scope& scope_;
  const onnx_proto::NodeProto& node_;
  std::vector<Value> inputs_;
  int opset_;
};

/// Text of a file, fit for a message: cut, and without control characters.
std::string printable(std::string_view text);
/// "node 'n' (Conv)"
std::string describe(const onnx_proto::NodeProto& node);

/// True if the elements can be read now.
inline bool is_constant(const Tensor& t) {
  return t.defined() && !t.is_symbolic();
}
/// The elements of an integer tensor with values.
std::vector<std::int64_t> to_ints(const Tensor& t);

}  // namespace weir::onnx_io
