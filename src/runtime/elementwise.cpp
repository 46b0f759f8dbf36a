#include "runtime/elementwise.h"

#include "runtime/kernel_util.h"

namespace weir::rt {

std::int64_t step_along(const View& v, int out_rank, int axis) {
  const int a = axis - (out_rank - v.rank);
  if (a < 0 || v.dims[a] == 1) return 0;
  std::int64_t step = 1;
  for (int i = a + 1; i < v.rank; ++i)
    step *= v.dims[i];
  return step;
}

namespace {

/// Walks the axes of an operand from the innermost outward; the step of each, 0 where broadcast.
struct StepWalk {
  const std::int64_t* dims;
  int left;  // axes
  std::int64_t next = 1;

  explicit StepWalk(const View& v) : dims(v.dims), left(v.rank) {}
  StepWalk() = default;
  std::int64_t step() {
    if (left == 0) return 0;
    const std::int64_t n = dims[--left], step = n == 1 ? 0 : next;
    next *= n;
    return step;
  }
};

/// Axis `axis` continues the merged axis `last` for every operand: no jump between them.
bool continues(const BroadcastPlan& p, int n_in, const std::int64_t* steps) {
  const int last = p.axes - 1;
  for (int i = 0; i < n_in; ++i) {
    if (steps[i] != p.step[i][last] * p.extent[last]) return false;
  }
  return true;
}

/// The operands at a row of the outer axes (all but the innermost).
struct Cursor {
  const char* src[kMaxOperands];
  std::int64_t index[BroadcastPlan::kMaxAxes];
  /// Bytes to the next row when axis `a` is the outermost that moves: a step along it, and back to
  /// the start of those inside.
  std::int64_t jump[BroadcastPlan::kMaxAxes][kMaxOperands];
};

void seek(const BroadcastPlan& p, const View* in, int n_in, std::int64_t row, Cursor& c) {
  for (int i = 0; i < n_in; ++i) {
    c.src[i] = static_cast<const char*>(in[i].data);
    const std::int64_t size = byte_size(in[i].dtype);
    std::int64_t walked = 0;
    for (int a = 1; a < p.axes; ++a) {
      c.jump[a][i] = p.step[i][a] * size - walked;
      walked += p.step[i][a] * (p.extent[a] - 1) * size;
    }
  }
  for (int a = 1; a < p.axes; ++a) {
    c.index[a] = row == 0 ? 0 : row % p.extent[a];
    row = row == 0 ? 0 : row / p.extent[a];
    for (int i = 0; i < n_in; ++i)
      c.src[i] += c.index[a] * p.step[i][a] * byte_size(in[i].dtype);
  }
}

void next_row(const BroadcastPlan& p, int n_in, Cursor& c) {
  int a = 1;
  while (a + 1 < p.axes && c.index[a] + 1 == p.extent[a])
    c.index[a++] = 0;
  ++c.index[a];
  for (int i = 0; i < n_in; ++i)
    c.src[i] += c.jump[a][i];
}

void run_rows(const KernelCall& call,
              const BroadcastPlan& p,
              std::int64_t begin,
              std::int64_t end) {
  std::uint8_t step[kMaxOperands];
  for (int i = 0; i < call.n_in; ++i)
    step[i] = std::uint8_t(p.step[i][0]);
  const std::int64_t inner = p.extent[0];
  const std::int64_t out_bytes = inner * byte_size(call.out[0].dtype);
  char* dst = static_cast<char*>(call.out[0].data) + begin * out_bytes;
  Cursor c;
  seek(p, call.in, call.n_in, begin, c);
  for (std::int64_t row = begin; row < end; ++row) {
    call.kernel->tile(dst, reinterpret_cast<const void* const*>(c.src), step, inner, call.attrs);
    dst += out_bytes;
    if (row + 1 < end) next_row(p, call.n_in, c);
  }
}

/// True if every operand has one element or as many as the result: nothing else is broadcast.
bool is_flat(const KernelCall& call, std::int64_t n, std::uint8_t* step) {
  for (int i = 0; i < call.n_in; ++i) {
    const std::int64_t size = call.in[i].size();
    if (size != n && size != 1) return false;
    step[i] = size == n && n != 1;
  }
  return true;
}

/// One row of `n` elements: cut it.
void run_flat(const KernelCall& call, std::int64_t n, const std::uint8_t* step) {
  parallel_ranges(call, n, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    const void* src[kMaxOperands];
    for (int i = 0; i < call.n_in; ++i)
      src[i] =
          static_cast<const char*>(call.in[i].data) + begin * step[i] * byte_size(call.in[i].dtype);
    void* dst = static_cast<char*>(call.out[0].data) + begin * byte_size(call.out[0].dtype);
    call.kernel->tile(dst, src, step, end - begin, call.attrs);
  });
}

}  // namespace

bool plan_broadcast(const View* in, int n_in, const View& out, BroadcastPlan& p) {
  p.axes = 0;
  StepWalk walks[kMaxOperands];
  for (int i = 0; i < n_in; ++i)
    walks[i] = StepWalk(in[i]);
  for (int axis = out.rank - 1; axis >= 0; --axis) {
    std::int64_t steps[kMaxOperands];
    for (int i = 0; i < n_in; ++i)
      steps[i] = walks[i].step();
    if (out.dims[axis] == 1) continue;
    if (p.axes > 0 && continues(p, n_in, steps)) {
      p.extent[p.axes - 1] *= out.dims[axis];
      continue;
    }
    if (p.axes == BroadcastPlan::kMaxAxes) return false;
    // The innermost step is 0 or 1; a size-1 axis further in may have been skipped.
    for (int i = 0; i < n_in; ++i)
      p.step[i][p.axes] = steps[i];
    p.extent[p.axes++] = out.dims[axis];
  }
  if (p.axes == 0) {  // a single element
    p.axes = 1;
    p.extent[0] = 1;
    for (int i = 0; i < n_in; ++i)
      p.step[i][0] = 0;
  }
  return true;
}

Status run_elementwise(const KernelCall& call) {
  if (call.n_in > kMaxOperands) return invalid("more operands than an element-wise kernel takes");
  const std::int64_t n = call.out[0].size();
  if (n == 0) return {};
  std::uint8_t step[kMaxOperands];
  if (is_flat(call, n, step)) {
    run_flat(call, n, step);
    return {};
  }
  BroadcastPlan p;
  if (!plan_broadcast(call.in, call.n_in, call.out[0], p))
    return invalid("too many broadcast axes");
  std::int64_t rows = 1;
  for (int a = 1; a < p.axes; ++a)
    rows *= p.extent[a];
  const std::int64_t grain = p.extent[0] >= kElementwiseGrain ? 1 : kElementwiseGrain / p.extent[0];
  parallel_ranges(call, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    run_rows(call, p, begin, end);
  });
  return {};
}

}  // namespace weir::rt
