/// A graph built by hand, and the session that runs it, as TensorFlow 1 had them.
///
///   Graph g;
///   Tensor p = g.placeholder(DType::float32, {-1, 3}, "p");
///   Tensor q = matmul(p, g.constant({{1.f}, {2.f}, {3.f}}));   // a node; nothing is multiplied
///   Tensor y = Session(g).run({{p, value}}, q);
#pragma once

#include <weir/name_scope.h>
#include <weir/tensor.h>

#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {

class Graph {
 public:
  explicit Graph(std::string name = "graph");

  /// A value that a session feeds. -1: any size.
  Tensor placeholder(DType dtype, const Shape& shape, std::string name = "Placeholder");
  Tensor constant(const Tensor& value, std::string name = "Const");
  /// A tensor by name: "MatMul:0", or "MatMul" for its first output. Error: lists similar names.
  Tensor tensor(std::string_view name) const;

  /// While it lives, calls of this thread become nodes of the graph, also those without a symbolic
  /// operand.
  class Scope {
   public:
    explicit Scope(const Graph& graph);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    class Impl;
    Impl* impl_;
  };
  [[nodiscard]] Scope as_default() const { return Scope(*this); }

  std::size_t size() const;  // nodes
  /// One node a line.
  std::string to_string() const;
  /// Graphviz.
  std::string to_dot() const;

  class Impl;
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

/// Runs parts of a graph. A handle, safe to use from any thread.
class Session {
 public:
  using Where = std::source_location;
  using Feeds = std::vector<std::pair<Tensor, Tensor>>;  // tensor of the graph, its value

  explicit Session(const Graph& graph);

  /// Values of the fetches. Only what they need runs; a fed tensor, also an intermediate one, is
  /// not computed. Errors: a placeholder that is needed and not fed; a feed of another dtype or
  /// shape; a tensor of another graph.
  std::vector<Tensor> run(const Feeds& feeds,
                          const std::vector<Tensor>& fetches,
                          Where where = Where::current()) const;
  Tensor run(const Feeds& feeds, const Tensor& fetch, Where where = Where::current()) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::inline v0
