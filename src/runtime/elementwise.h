#pragma once

/// The driver of element-wise kernels: broadcasting and slicing around a kernel's tile function.
/// The same tile functions serve eager calls and the regions of a program. Freestanding.

#include <weir/kernel.h>

namespace weir::rt {

inline constexpr int kMaxOperands = 8;

/// `run` of every element-wise kernel: computes out[0] from all inputs with kernel->tile.
Status run_elementwise(const KernelCall& call);

/// Step, in elements, of operand `v` along axis `axis` (0: outermost) of an output of rank
/// `out_rank`; 0 where broadcast.
std::int64_t step_along(const View& v, int out_rank, int axis);

/// How operands walk along an output whose axes have been merged as far as they allow. Axis 0 is
/// the innermost.
struct BroadcastPlan {
  static constexpr int kMaxAxes = 16;
  int axes = 0;
  std::int64_t extent[kMaxAxes];
  std::int64_t step[kMaxOperands][kMaxAxes];  // in elements: 0 where the operand is broadcast
};

/// False if the merged shape has more than kMaxAxes axes.
bool plan_broadcast(const View* in, int n_in, const View& out, BroadcastPlan& plan);

/// Elements of a slice; small enough for the cache, large enough to be worth a thread.
inline constexpr std::int64_t kElementwiseGrain = 16384;

}  // namespace weir::rt
