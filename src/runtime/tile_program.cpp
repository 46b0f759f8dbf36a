#include "runtime/tile_program.h"

#include <new>

#include "runtime/kernel_util.h"

namespace weir::rt {
namespace {

constexpr int kMaxRegisters = 64;
constexpr std::int64_t kMinimumGrain = 2048;
constexpr std::int64_t kMaxSlices = 128;
// Ops from which on the work on a tile is worth asking for the next one meanwhile.
constexpr int kPrefetchOps = 3;

constexpr std::size_t round_up(std::size_t n) {
  return (n + 7) / 8 * 8;
}

/// Hands out pieces of the caller's memory.
class Bump {
 public:
  explicit Bump(void* memory) : next_(static_cast<std::byte*>(memory)) {}
  template <class T>
  T* take(std::size_t n) {
    T* p = reinterpret_cast<T*>(next_);
    next_ += round_up(n * sizeof(T));
    for (std::size_t i = 0; i < n; ++i)
      new (p + i) T{};
    return p;
  }

 private:
  std::byte* next_;
};

/// Axis with these steps continues the merged axis `last`: no operand jumps between them.
bool continues(const std::int64_t* last,
               std::int64_t extent,
               const std::int64_t* steps,
               std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (steps[i] != last[i] * extent) return false;
  }
  return true;
}

/// Fills extent and step of the axes, merged as far as all inputs allow; returns their number, at
/// least 1.
int merge_axes(std::span<const View> in,
               std::size_t first,
               const View& out,
               std::int64_t* extent,
               std::int64_t* step) {
  const std::size_t n = in.size();
  int axes = 0;
  for (int axis = out.rank - 1; axis >= 0; --axis) {
    if (out.dims[axis] == 1) continue;
    std::int64_t* steps = step + std::size_t(axes) * n;
    for (std::size_t i = 0; i < first; ++i)
      steps[i] = 0;
    for (std::size_t i = first; i < n; ++i)
      steps[i] = step_along(in[i], out.rank, axis) * byte_size(in[i].dtype);
    if (axes > 0 && continues(steps - n, extent[axes - 1], steps, n)) {
      extent[axes - 1] *= out.dims[axis];
    } else {
      extent[axes++] = out.dims[axis];
    }
  }
  if (axes > 0) return axes;
  extent[0] = 1;
  for (std::size_t i = 0; i < n; ++i)
    step[i] = 0;
  return 1;
}

/// Finds out which registers hold one element for the whole tile.
void set_steps(std::span<TileOp> ops, const TileProgram& p, std::span<const std::uint8_t> stride) {
  bool many[kMaxRegisters] = {};
  const int bound = p.inputs + p.results;
  for (int r = 0; r < bound; ++r)
    many[r] = r >= p.inputs || stride[std::size_t(r)] != 0;
  for (TileOp& op : ops) {
    bool any = false;
    for (int k = 0; k < op.sources; ++k) {
      op.step[k] = many[op.source[k]];
      any = any || many[op.source[k]];
    }
    op.single = !any && op.target >= bound;
    many[op.target] = !op.single;
  }
}

/// Places the temporaries and chooses the size of the tile so that they fit.
void place_temporaries(std::span<const TileOp> ops,
                       TileProgram& p,
                       std::span<const std::uint8_t> stride,
                       std::uint32_t* scratch) {
  const int bound = p.inputs + p.results;
  std::uint8_t bytes[kMaxRegisters] = {};
  for (const TileOp& op : ops) {
    const auto size = std::uint8_t(byte_size(op.type));
    if (op.target >= bound && bytes[op.target] < size) bytes[op.target] = size;
  }
  std::size_t per_element = 0, all = 0;
  for (int t = 0; t < p.temporaries; ++t)
    per_element += bytes[bound + t];
  for (std::uint8_t s : stride)
    all += s;
  all += per_element;
  p.tile = kTileElements;
  while (p.tile > 16 && (per_element * std::size_t(p.tile) > kTileScratch ||
                         all * std::size_t(p.tile) > kTileBytes))
    p.tile /= 2;
  std::size_t at = 0;
  for (int t = 0; t < p.temporaries; ++t) {
    scratch[t] = std::uint32_t(at);
    at += std::size_t(bytes[bound + t]) * std::size_t(p.tile);
  }
}

/// Positions of the inputs in the outer axes.
struct Cursor {
  std::byte* at[kMaxRegisters];
  std::int64_t index[255];

  void seek(const TileProgram& p, const View* in, std::int64_t row) {
    for (int i = 0; i < p.inputs; ++i)
      at[i] = static_cast<std::byte*>(in[i].data);
    for (int a = 1; a < p.axes; ++a) {
      index[a] = row % p.extent[a];
      row /= p.extent[a];
      for (int i = 0; i < p.inputs; ++i)
        at[i] += index[a] * p.step[a * p.inputs + i];
    }
  }
  void next(const TileProgram& p) {
    for (int a = 1; a < p.axes; ++a) {
      const std::int64_t* step = p.step + a * p.inputs;
      for (int i = 0; i < p.inputs; ++i)
        at[i] += step[i];
      if (++index[a] < p.extent[a]) return;
      for (int i = 0; i < p.inputs; ++i)
        at[i] -= step[i] * p.extent[a];
      index[a] = 0;
    }
  }
};

/// Asks for elements [begin, begin + n) of what the ops read and write.
void prefetch(const TileProgram& p, std::byte* const* base, std::int64_t begin, std::int64_t n) {
  for (int r = 0; r < p.inputs + p.results; ++r) {
    const std::byte* first = base[r] + begin * p.stride[r];
    for (std::int64_t at = 0; at < n * p.stride[r]; at += 64)
      __builtin_prefetch(first + at);
  }
}

/// Runs the ops on elements [begin, end) of the innermost axis; `base` points to element 0 of
/// inputs and results.
void run_span(const TileProgram& p,
              std::byte* const* base,
              std::int64_t begin,
              std::int64_t end,
              std::byte* scratch) {
  const int bound = p.inputs + p.results;
  void* reg[kMaxRegisters];
  for (int t = 0; t < p.temporaries; ++t)
    reg[bound + t] = scratch + p.scratch[t];
  for (std::int64_t at = begin; at < end; at += p.tile) {
    const std::int64_t left = end - at, n = left < p.tile ? left : p.tile;
    if (n < left && p.op_count >= kPrefetchOps)
      prefetch(p, base, at + n, left - n < p.tile ? left - n : p.tile);
    for (int r = 0; r < bound; ++r)
      reg[r] = base[r] + at * p.stride[r];
    for (const TileOp *op = p.ops, *last = op + p.op_count; op != last; ++op) {
      const void* src[kMaxOperands];
      for (int k = 0; k < op->sources; ++k)
        src[k] = reg[op->source[k]];
      op->fn(reg[op->target], src, op->step, op->single ? 1 : n, op->attrs);
    }
  }
}

void results_at_row(const TileProgram& p, const View* out, std::int64_t row, std::byte** base) {
  for (int o = 0; o < p.results; ++o)
    base[p.inputs + o] =
        static_cast<std::byte*>(out[o].data) + row * p.extent[0] * p.stride[p.inputs + o];
}

void run_rows(const TileProgram& p, const KernelCall& call, std::int64_t begin, std::int64_t end) {
  alignas(64) std::byte scratch[kTileScratch];
  Cursor cursor;
  cursor.seek(p, call.in, begin);
  for (std::int64_t row = begin; row < end; ++row) {
    results_at_row(p, call.out, row, cursor.at);
    run_span(p, cursor.at, 0, p.extent[0], scratch);
    cursor.next(p);
  }
}

/// Part of one long row.
void run_part(const TileProgram& p,
              const KernelCall& call,
              std::int64_t row,
              std::int64_t begin,
              std::int64_t end) {
  alignas(64) std::byte scratch[kTileScratch];
  Cursor cursor;
  cursor.seek(p, call.in, row);
  results_at_row(p, call.out, row, cursor.at);
  run_span(p, cursor.at, begin, end, scratch);
}

/// Elements of a slice, by the work on each; no more slices than kMaxSlices.
std::int64_t grain(const TileProgram& p) {
  const std::int64_t by_work = kElementwiseGrain / (p.op_count ? p.op_count : 1);
  const std::int64_t by_size = p.rows * p.extent[0] / kMaxSlices;
  const std::int64_t g = by_work < by_size ? by_size : by_work;
  return g < kMinimumGrain ? kMinimumGrain : g / kMinimumGrain * kMinimumGrain;
}

}  // namespace

std::size_t tile_program_bytes(int inputs, int results, int ops, int rank) {
  const std::size_t axes = rank > 0 ? std::size_t(rank) : 1, n = std::size_t(inputs);
  return round_up(sizeof(TileProgram)) + axes * sizeof(std::int64_t) +
         axes * n * sizeof(std::int64_t) + round_up(n + std::size_t(results)) +
         round_up(std::size_t(ops) * sizeof(std::uint32_t));
}

const TileProgram* bind_tiles(std::span<TileOp> ops,
                              std::span<const View> in,
                              std::span<const View> out,
                              void* memory,
                              int first_input) {
  Bump bump(memory);
  auto& p = *bump.take<TileProgram>(1);
  const std::size_t axes = out[0].rank > 0 ? out[0].rank : 1, bound = in.size() + out.size();
  auto* extent = bump.take<std::int64_t>(axes);
  auto* step = bump.take<std::int64_t>(axes * in.size());
  auto* stride = bump.take<std::uint8_t>(bound);
  p.ops = ops.data();
  p.op_count = std::uint16_t(ops.size());
  p.inputs = std::uint8_t(in.size());
  p.results = std::uint8_t(out.size());
  p.first_input = std::uint8_t(first_input);
  for (const TileOp& op : ops) {
    if (op.target >= bound + p.temporaries) p.temporaries = std::uint8_t(op.target + 1 - bound);
  }
  auto* scratch = bump.take<std::uint32_t>(p.temporaries);
  p.axes = std::uint8_t(merge_axes(in, std::size_t(first_input), out[0], extent, step));
  p.rows = out[0].size() == 0 ? 0 : 1;
  for (int a = 1; a < p.axes; ++a)
    p.rows *= extent[a];
  for (std::size_t i = 0; i < in.size(); ++i)
    stride[i] = std::uint8_t(step[i]);
  for (std::size_t o = 0; o < out.size(); ++o)
    stride[in.size() + o] = std::uint8_t(byte_size(out[o].dtype));
  p.extent = extent;
  p.step = step;
  p.stride = stride;
  p.scratch = scratch;
  set_steps(ops, p, {stride, bound});
  place_temporaries(ops, p, {stride, bound}, scratch);
  return &p;
}

Status run_tiles(const KernelCall& call) {
  const auto& p = *static_cast<const TileProgram*>(call.state);
  if (p.rows == 0) return {};
  const std::int64_t inner = p.extent[0], size = grain(p);
  if (inner > size) {
    const std::int64_t parts = (inner + size - 1) / size;
    parallel_for(call, p.rows * parts, [&](std::int64_t s) {
      const std::int64_t begin = s % parts * size;
      run_part(p, call, s / parts, begin, begin + size < inner ? begin + size : inner);
    });
    return {};
  }
  parallel_ranges(
      call, p.rows, inner > 0 ? size / inner : 1, [&](std::int64_t begin, std::int64_t end) {
        run_rows(p, call, begin, end);
      });
  return {};
}

Status run_tile(const KernelCall& call) {
  const auto& p = *static_cast<const TileProgram*>(call.state);
  if (p.rows != 1 || p.extent[0] > kMinimumGrain) return run_tiles(call);
  const TileOp& op = p.ops[0];
  const void* src[kMaxOperands];
  for (int k = 0; k < op.sources; ++k)
    src[k] = call.in[op.source[k]].data;
  op.fn(call.out[0].data, src, op.step, p.extent[0], op.attrs);
  return {};
}

bool walks_by_rows(const View& operand, const View& result) {
  bool one = true, each = operand.rank == result.rank;
  for (int i = 0; i + 1 < operand.rank; ++i) {
    one = one && operand.dims[i] == 1;
    each = each && operand.dims[i] == result.dims[i];
  }
  return one || each;
}

std::int64_t row_step(const View& operand) {
  for (int i = 0; i + 1 < operand.rank; ++i) {
    if (operand.dims[i] != 1) return operand.dims[operand.rank - 1];
  }
  return 0;
}

void run_tile_epilogue(void* arg,
                       void* c,
                       std::int64_t row0,
                       std::int64_t rows,
                       std::int64_t col0,
                       std::int64_t cols,
                       std::int64_t ldc) {
  const auto& e = *static_cast<const TileEpilogue*>(arg);
  const TileProgram& p = *e.program;
  alignas(64) std::byte scratch[kTileScratch];
  std::byte* base[kMaxRegisters] = {};
  std::int64_t row_step[kMaxRegisters];
  const auto start = [&](int r, void* data, std::int64_t step) {
    row_step[r] = step;
    base[r] = static_cast<std::byte*>(data) + row0 * step + col0 * p.stride[r];
  };
  for (int i = p.first_input; i < p.inputs; ++i)
    start(i, e.in[i].data, rt::row_step(e.in[i]) * byte_size(e.in[i].dtype));
  for (int o = 1; o < p.results; ++o)
    start(p.inputs + o, e.out[o].data, rt::row_step(e.out[o]) * p.stride[p.inputs + o]);
  base[p.inputs] = static_cast<std::byte*>(c);
  row_step[p.inputs] = ldc * p.stride[p.inputs];
  bool joined = true;  // a row begins where the last one ends
  for (int i = p.first_input; i < p.inputs + p.results; ++i)
    joined = joined && row_step[i] == cols * p.stride[i];
  if (joined) {
    cols *= rows;
    rows = 1;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    run_span(p, base, 0, cols, scratch);
    for (int i = p.first_input; i < p.inputs + p.results; ++i)
      base[i] += row_step[i];
  }
}

}  // namespace weir::rt
