#pragma once

#include <weir/function.h>

#include "function/trace.h"

namespace weir::inline v0 {

class ConcreteFunction::Impl {
 public:
  explicit Impl(std::shared_ptr<tracing::Trace> trace);

  std::shared_ptr<tracing::Trace> trace;
  std::vector<TensorSpec> inputs;
};

}  // namespace weir::inline v0
