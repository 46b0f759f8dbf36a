#pragma once

/// A traced signature and the cache of them that stands behind weir::function.

#include <weir/function.h>

#include <list>
#include <mutex>
#include <string_view>

#include "function/compiled.h"
#include "graph/builder.h"

namespace weir::tracing {

/// Adds a line such as "while tracing 'step'" to the errors of the body.
[[noreturn]] void rethrow_with(const Error& e, const std::string& context);

/// Shapes and dtypes of arguments that are tensors with values.
struct Signature {
  std::vector<Spec> specs;
  std::string key;  // what of the arguments is no tensor
  std::vector<std::string> names =
      {};  // of the arguments, where the caller gave some; no part of the identity
};

/// The graph of one signature (dimensions may be unknown) and a plan for each concrete one that was
/// called.
class Trace {
 public:
  Trace(Signature signature,
        std::shared_ptr<graph::Graph> graph,
        std::vector<Tensor> captures,
        std::vector<std::size_t> lengths,
        const FunctionOptions& options);

  const Signature& signature() const { return signature_; }
  const std::shared_ptr<graph::Graph>& graph() const { return graph_; }
  const std::vector<Tensor>& captures() const { return captures_; }
  const std::vector<std::size_t>& lengths() const { return lengths_; }

  /// True if these arguments may be given to this trace.
  bool accepts(std::span<const Tensor> arguments, std::string_view key) const;
  /// The plan for their shapes; made at first use, bounded in number.
  std::shared_ptr<const Compiled> plan(std::span<const Tensor> arguments);
  /// The plan for the signature itself.
  std::shared_ptr<const Compiled> plan_for_signature();
  std::size_t plans() const;

 private:
  std::shared_ptr<const Compiled> plan(std::vector<Spec> shapes);

  Signature signature_;
  std::shared_ptr<graph::Graph> graph_;
  std::vector<Tensor> captures_;
  std::vector<std::size_t> lengths_;
  FunctionOptions options_;
  mutable std::mutex mutex_;
  struct Plan {
    std::vector<Spec> shapes;
    std::shared_ptr<const Compiled> compiled;
  };
  std::list<Plan> plans_;  // most recently used first
};

/// Does a tensor fit a spec: dtype, rank, every known dimension?
bool fits(const Tensor& t, const Spec& spec);
/// Exactly these dtypes and dimensions?
bool equals(std::span<const Tensor> arguments, std::span<const Spec> specs);

}  // namespace weir::tracing
