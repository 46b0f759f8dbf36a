#pragma once

/// A traced signature and the cache of them that stands behind weir::function.

#include <weir/function.h>

#include <atomic>
#include <list>
#include <mutex>
#include <string_view>

#include "function/compiled.h"
#include "function/differentiated.h"
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
        const FunctionOptions& options,
        std::shared_ptr<const std::any> plain = nullptr);

  const Signature& signature() const { return signature_; }
  const std::shared_ptr<graph::Graph>& graph() const { return graph_; }
  const std::vector<Tensor>& captures() const { return captures_; }
  const std::vector<std::size_t>& lengths() const { return lengths_; }
  const FunctionOptions& options() const { return options_; }
  /// What of the result is no tensor; see FlatResult.
  const std::shared_ptr<const std::any>& plain() const { return plain_; }

  /// Notes a call that found its plan without looking for the trace.
  void mark_used() {
    if (!used_.load(std::memory_order_relaxed)) used_.store(true, std::memory_order_relaxed);
  }
  /// Whether there was one since the last time this was asked.
  bool take_used() { return used_.exchange(false, std::memory_order_relaxed); }

  /// True if these arguments may be given to this trace.
  bool accepts(std::span<const Tensor> arguments, std::string_view key) const;
  /// The plan for their shapes; made at first use, bounded in number.
  std::shared_ptr<const Compiled> plan(std::span<const Tensor> arguments);
  /// The plan for the signature itself.
  std::shared_ptr<const Compiled> plan_for_signature();
  std::size_t plans() const;
  /// What the passes do for the signature.
  passes::Report report() const { return report_passes(*graph_, signature_.specs, options_); }

  /// The graph without effects; null if there is none.
  const PureGraph* pure();
  /// The programs for calls with arguments of these shapes, where the arguments and variables of
  /// pure() in `followed` are differentiated; null if a gradient rule refuses.
  std::shared_ptr<const Differentiated> differentiated(std::span<const Tensor> arguments,
                                                       std::span<const std::uint8_t> followed);

 private:
  std::shared_ptr<const Compiled> plan(std::vector<Spec> shapes);

  Signature signature_;
  std::shared_ptr<graph::Graph> graph_;
  std::vector<Tensor> captures_;
  std::vector<std::size_t> lengths_;
  std::shared_ptr<const std::any> plain_;
  FunctionOptions options_;
  std::atomic<bool> used_{false};
  mutable std::mutex mutex_;
  struct Plan {
    std::vector<Spec> shapes;
    std::shared_ptr<const Compiled> compiled;
  };
  std::list<Plan> plans_;  // most recently used first
  std::once_flag purified_;
  std::optional<PureGraph> pure_;
  struct Programs {
    std::vector<Spec> shapes;
    std::vector<std::uint8_t> followed;
    std::shared_ptr<const Differentiated> programs;
  };
  std::list<Programs> differentiated_;  // most recently used first
};

/// A call of `trace` in the graph that `outer` builds: one node, or the nodes of its body if a tape
/// must see them, or if that graph is the body of a branch or loop, which captures what it reads.
std::vector<Tensor> call_in(graph::Builder& outer,
                            const Trace& trace,
                            std::span<const Tensor> arguments,
                            std::source_location where);

/// Does a tensor fit a spec: dtype, rank, every known dimension? An undefined one fits none.
bool fits(const Tensor& t, const Spec& spec);
/// Exactly these dtypes and dimensions?
bool equals(std::span<const Tensor> arguments, std::span<const Spec> specs);

}  // namespace weir::tracing
