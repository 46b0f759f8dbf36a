#pragma once

/// What a call costs: for the optimiser's report, the planner and the profiler.

#include <weir/op_def.h>

namespace weir::dispatch {

/// Bytes of all elements; dimensions that are not known count as 1.
double bytes(DType dtype, ShapeView shape);

/// Flops, and bytes read and written, of one call: what the op's definition says, else what its
/// traits let expect. A view costs nothing.
Cost cost(const OpDef& op,
          std::span<const SpecView> inputs,
          std::span<const Spec> outputs,
          std::span<const rt::Attr> attrs);

}  // namespace weir::dispatch
