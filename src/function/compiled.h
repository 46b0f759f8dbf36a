#pragma once

/// One concrete signature, ready to run: specialised to static shapes, optimised, planned. Shared
/// by threads.

#include <weir/function.h>

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "passes/report.h"
#include "plan/executable.h"

namespace weir::tracing {

class Compiled {
 public:
  Compiled(const graph::Graph& traced,
           std::span<const Spec> inputs,
           const FunctionOptions& options);

  std::vector<Tensor> run(std::span<const Tensor> inputs) const { return executable().run(inputs); }
  const graph::Graph& optimised() const { return *optimised_; }
  /// The plan, made at first use: looking at the graph of a signature with unknown dimensions needs
  /// none.
  const plan::Executable& executable() const;

 private:
  std::shared_ptr<const graph::Graph> optimised_;
  mutable std::once_flag planned_;
  mutable std::shared_ptr<const plan::Executable> executable_;
};

/// What the passes do to a graph on the way to its program, told once more: calls do not pay for
/// it.
passes::Report report_passes(const graph::Graph& traced,
                             std::span<const Spec> inputs,
                             const FunctionOptions& options);

}  // namespace weir::tracing
