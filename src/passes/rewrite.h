#pragma once

/// Makes a graph from another by walking it once, in order. As long as everything is kept nothing
/// is copied, so that a pass that finds nothing to do costs only its search.

#include <span>

#include "passes/pass.h"

namespace weir::passes {

class Rewrite {
 public:
  Rewrite(const Graph& from, Context& context) : from_(from), context_(context) {}

  const Graph& from() const { return from_; }
  /// The new graph so far.
  const Graph& graph() const { return to_ ? *to_ : from_; }
  /// Where an output of `from`, of a node that has been passed, is in the new graph.
  Ref at(Ref old) const {
    return to_ ? moved_[std::size_t(first_[std::size_t(old.node)] + old.output)] : old;
  }
  /// Whether the new graph differs so far.
  bool changed() const { return to_ != nullptr; }
  const Spec& spec(Ref now) const { return graph().spec(now); }

  /// Node i of `from` with inputs of the new graph.
  Node copy(int i) const;

  // What becomes of node i; called for each i in order, once.
  void keep(int i);
  /// Unused, or fused into a node that a later call of `place` names.
  void drop(int i);
  void replace(int i, Ref by) { replace(i, std::span<const Ref>(&by, 1)); }
  void replace(int i, std::span<const Ref> by);
  /// By a node with as many outputs. An empty name becomes that of node i.
  Ref replace(int i, Node by);

  /// Appends a node that replaces none.
  Ref add(Node n);
  /// Output `old` of a dropped node is `now`.
  void place(Ref old, Ref now) {
    moved_[std::size_t(first_[std::size_t(old.node)] + old.output)] = now;
  }
  /// From now on nodes are copied.
  void diverge();
  /// A name for Context::removed.
  const std::string& name(Ref now) const { return graph().node(now.node).name; }

  /// The new graph; null if it would be the old one.
  GraphPtr finish();

 private:
  const Graph& from_;
  Context& context_;
  GraphPtr to_;
  int passed_ = 0;
  std::vector<int> first_;  // by node of `from`: the place of its output 0 in moved_
  std::vector<Ref> moved_;
};

/// Sets the outputs' specs to what infer says, if that is more than is known. An op that infer
/// refuses stays as it is: its error belongs to the run.
void refine(const Graph& graph, Node& node);

/// Appends the nodes of `body`, called by node i, for these arguments; their names start with that
/// of the call. Returns the body's outputs.
std::vector<Ref> splice(Rewrite& rewrite,
                        const Graph& body,
                        std::span<const Ref> arguments,
                        const Node& call);

/// A constant node.
Node make_constant(Tensor value, const Node& like);

/// Notes in `node` that `pass` made it from these nodes (and from what they were made of).
void annotate(Node& node, const char* pass, std::span<const Node* const> from);

/// Equal for every input of the graph.
bool same_shape(const Shape& a, const Shape& b);

}  // namespace weir::passes
