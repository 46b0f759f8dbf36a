#pragma once

/// Building a graph by calls: the handler that appends a node for each call and returns symbolic
/// tensors.

#include <unordered_map>
#include <unordered_set>

#include "dispatch/handler.h"
#include "graph/graph.h"

namespace weir::graph {

/// A graph under construction. Symbolic tensors keep it alive; after `finish` it is closed and
/// using one of its tensors in a new call is the "leaked tensor" error, which names where the
/// tensor was made.
///
///   auto b = Builder::create("train");
///   Tensor x = b->input({{-1, 784}, DType::float32, "x"});
///   { dispatch::HandlerScope scope(*b); y = f(x); }
///   std::shared_ptr<Graph> g = b->finish({y});
class Builder final : public dispatch::SymbolicHandler,
                      public tensor::SymbolSource,
                      public std::enable_shared_from_this<Builder> {
 public:
  /// `outer`: the enclosing trace, whose tensors are captured: each becomes an extra input of this
  /// graph.
  static std::shared_ptr<Builder> create(std::string name,
                                         std::shared_ptr<Builder> outer = nullptr);

  Tensor input(const TensorSpec& spec);
  Tensor constant(const Tensor& value, std::string name = "Const");
  /// The symbolic tensor of an output.
  Tensor tensor(Ref ref);
  /// The output that a tensor stands for here; a concrete tensor becomes a constant (one node per
  /// buffer).
  Ref ref(const Tensor& t, std::source_location where);
  /// Appends a structural node and returns its outputs.
  std::vector<Tensor> add_structural(Node node);
  /// True if this graph may use `symbolic`: it is open and the tensor is its own, or that of an
  /// open enclosing trace.
  bool can_use(const Tensor& symbolic) override;

  /// Tensors of the enclosing trace that this graph uses; each has become the input after the
  /// declared ones.
  const std::vector<Tensor>& captures() const { return captures_; }

  /// For bodies of branches and loops: a variable that is read before this graph writes it is read
  /// in the enclosing trace, once, and captured. Gradients then see the value that the forward pass
  /// saw.
  /// Those in `written` change in the body, and are read where the body reads them.
  void hoist_reads(const std::unordered_set<const VariableState*>& written) {
    hoist_reads_ = true;
    written_in_bodies_ = written;
  }
  bool hoists_reads() const { return hoist_reads_; }
  const std::vector<std::pair<std::shared_ptr<VariableState>, Tensor>>& hoisted() const {
    return hoisted_;
  }

  /// Closes the graph. Outputs may be concrete (they become constants) or inputs.
  std::shared_ptr<Graph> finish(std::span<const Tensor> outputs);
  bool open() const { return open_; }
  Graph& graph() { return *graph_; }

  // dispatch::Handler
  void run(const dispatch::Invocation& call, std::span<Tensor> results) override;
  Tensor read(const std::shared_ptr<VariableState>& variable, std::source_location where) override;
  Tensor write(const std::shared_ptr<VariableState>& variable,
               const Tensor& value,
               std::source_location where) override;
  void check_operand(const Tensor& symbolic, std::source_location where) override;
  // tensor::SymbolSource
  const Tensor* constant_value(int node, int output) const override;
  std::string name(int node, int output) const override;
  std::string describe(int node, int output) const override;
  Tensor lift(int node, int output, std::string& obstacle) const override;

 private:
  Builder(std::string name, std::shared_ptr<Builder> outer);
  Ref capture(const Tensor& outer_tensor);
  Builder* owner_of(const Tensor& symbolic);
  Node make_node(Kind kind, std::source_location where) const;
  std::uint64_t id_of(Ref r);

  std::shared_ptr<Graph> graph_;
  std::shared_ptr<Builder> outer_;
  bool open_ = true;
  bool hoist_reads_ = false;
  std::vector<std::pair<std::shared_ptr<VariableState>, Tensor>> hoisted_;
  std::vector<Tensor> captures_;
  std::unordered_map<std::uint64_t, Ref> captured_;                    // id of an outer tensor
  std::unordered_map<const void*, std::pair<Tensor, Ref>> constants_;  // by TensorImpl
  std::unordered_map<const VariableState*, Ref>
      current_values_;  // of variables read or written so far
  std::unordered_set<const VariableState*>
      written_in_bodies_;                // so far: a read must stay behind that
  std::vector<std::uint64_t> first_id_;  // of each node's outputs; 0: none yet
};

/// The builder that the calls of this thread go to; null outside a trace.
std::shared_ptr<Builder> current_builder();
/// The builder of a call with these operands: that of this thread's trace if it may use them, else
/// that of the symbolic ones; null: eager.
std::shared_ptr<Builder> builder_for(std::span<const Tensor> operands);

/// While it lives, nodes that this thread appends take over name, line and annotations of `node`,
/// which is being replayed into another graph.
class Provenance {
 public:
  explicit Provenance(const Node& node);
  ~Provenance();
  Provenance(const Provenance&) = delete;
  Provenance& operator=(const Provenance&) = delete;

 private:
  const Node* outer_;
};

}  // namespace weir::graph
