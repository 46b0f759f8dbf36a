#include "function/compiled.h"

#include "passes/pipeline.h"
#include "tensor/profile.h"

namespace weir::tracing {

Compiled::Compiled(const graph::Graph& traced,
                   std::span<const Spec> inputs,
                   const FunctionOptions& options) {
  const profile::Span span(profile::Category::plan, traced.name());
  std::shared_ptr<graph::Graph> specialised = plan::specialise(traced, inputs);
  if (options.optimise)
    specialised = passes::optimise(*specialised, {.disabled = options.disabled_passes});
  optimised_ = std::move(specialised);
}

const plan::Executable& Compiled::executable() const {
  std::call_once(planned_, [this] {
    const profile::Span span(profile::Category::plan, optimised_->name());
    executable_ = plan::plan(optimised_);
  });
  return *executable_;
}

passes::Report report_passes(const graph::Graph& traced,
                             std::span<const Spec> inputs,
                             const FunctionOptions& options) {
  passes::Report report;
  const std::shared_ptr<graph::Graph> specialised = plan::specialise(traced, inputs);
  if (options.optimise)
    passes::optimise(*specialised, {.disabled = options.disabled_passes}, &report);
  return report;
}

}  // namespace weir::tracing
