#pragma once

/// One concrete signature, ready to run: specialised to static shapes, optimised, planned. Immutable, shared by threads.

#include "graph/graph.h"

#include <weir/function.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weir::tracing {

class Compiled {
 public:
  Compiled(const graph::Graph& traced, std::span<const Spec> inputs, const FunctionOptions& options);
  std::vector<Tensor> run(std::span<const Tensor> inputs) const;

  const graph::Graph& optimised() const { return *optimised_; }
  std::string pass_report() const { return report_; }

 private:
  std::shared_ptr<graph::Graph> optimised_;
  std::string report_;
};

}  // namespace weir::tracing
