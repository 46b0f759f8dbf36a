/// Reductions of float32, vectorised.
///
/// The order in which n elements are combined depends on n alone, never on the axes, the other
/// extents or the threads: they are cut into chunks of kChunk; in a chunk, element i belongs to
/// stream i % kStreams; each stream is combined in order, then the streams are combined pairwise,
/// halving; the results of the chunks are combined in order, in float64.
#include "kernels/cpu/vec.h"
#include "kernels/scalar/reduction.h"
#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {
namespace {

constexpr std::int64_t kStreams = 32;
constexpr std::int64_t kChunk = 1024;
constexpr std::int64_t kColumns = 64;  // columns that are reduced side by side

constexpr std::int64_t kWidth = kLanes<float>;
constexpr std::int64_t kParts = kStreams / kWidth;

struct Sum {
  static constexpr const char* kOp = "Sum";
  template <class V>
  static V combine(V a, V b) {
    return a + b;
  }
  static constexpr double kNothing = 0;
  static float finish(double total, std::int64_t) { return float(total); }
};
struct Mean : Sum {
  static constexpr const char* kOp = "Mean";
  static float finish(double total, std::int64_t n) { return float(total / double(n)); }
};
struct Max {
  static constexpr const char* kOp = "Max";
  template <class V>
  static V combine(V a, V b) {
    return ((a > b) | (a != a)) ? a : b;
  }
  static constexpr double kNothing = -__builtin_inf();
  static float finish(double total, std::int64_t) { return float(total); }
};
struct Min : Max {
  static constexpr const char* kOp = "Min";
  template <class V>
  static V combine(V a, V b) {
    return ((a < b) | (a != a)) ? a : b;
  }
  static constexpr double kNothing = __builtin_inf();
};

/// Combines lane l with lane l + half, for halves 16, 8, 4 ...; `lanes` of them hold something.
template <class Op>
void fold_lanes(float* lane, std::int64_t lanes, std::int64_t columns) {
  for (std::int64_t half = kStreams / 2; half > 0; half /= 2) {
    for (std::int64_t l = 0; l < half && l + half < lanes; ++l) {
      float* a = lane + l * kColumns;
      const float* b = lane + (l + half) * kColumns;
      for (std::int64_t j = 0; j < columns; ++j)
        a[j] = Op::combine(a[j], b[j]);
    }
    lanes = lanes < half ? lanes : half;
  }
}
/// The same for one column; lanes that hold nothing leave a halving that has no effect.
template <class Op>
float fold(float* lane, std::int64_t lanes) {
  for (std::int64_t half = kStreams / 2; half > 0; half /= 2) {
    for (std::int64_t l = 0; l < half && l + half < lanes; ++l)
      lane[l] = Op::combine(lane[l], lane[l + half]);
    lanes = lanes < half ? lanes : half;
  }
  return lane[0];
}

/// A chunk of n > 0 elements that lie side by side.
template <class Op>
float reduce_row(const float* x, std::int64_t n) {
  float lane[kStreams];
  if (n < kStreams) {
    for (std::int64_t l = 0; l < n; ++l)
      lane[l] = x[l];
    return fold<Op>(lane, n);
  }
  Vec<float> acc[kParts];
  for (int p = 0; p < kParts; ++p)
    acc[p] = load(x + p * kWidth);
  std::int64_t i = kStreams;
  for (; i + kStreams <= n; i += kStreams) {
    for (int p = 0; p < kParts; ++p)
      acc[p] = Op::combine(acc[p], load(x + i + p * kWidth));
  }
  if (i < n) {
    for (int p = 0; p < kParts; ++p)
      store(lane + p * kWidth, acc[p]);
    for (std::int64_t l = 0; i + l < n; ++l)
      lane[l] = Op::combine(lane[l], x[i + l]);
    for (int p = 0; p < kParts; ++p)
      acc[p] = load(lane + p * kWidth);
  }
  for (std::int64_t half = kParts / 2; half > 0; half /= 2) {
    for (std::int64_t p = 0; p < half; ++p)
      acc[p] = Op::combine(acc[p], acc[p + half]);
  }
  store(lane, acc[0]);
  for (std::int64_t half = kWidth / 2; half > 0; half /= 2) {
    for (std::int64_t l = 0; l < half; ++l)
      lane[l] = Op::combine(lane[l], lane[l + half]);
  }
  return lane[0];
}

/// What the parts of a run share.
struct Job {
  Reduction r;
  const float* x;
  double* partial;  // [outer, chunks, inner]
  std::int64_t n;   // elements combined into one
  std::int64_t chunks;
  std::int64_t inner;   // kept elements that lie side by side; 1: the reduced ones do
  std::int64_t blocks;  // of kColumns of them
};

/// Elements [begin, end) of the reduced ones, which may lie in several runs.
template <class Op>
double row_chunk(const Job& j, const float* x, std::int64_t begin, std::int64_t end) {
  const Walk& w = j.r.reduced;
  if (w.axes <= 1) return reduce_row<Op>(x + begin, end - begin);
  float gathered[kChunk];
  for (std::int64_t k = begin; k < end;) {
    const std::int64_t left = w.extent[0] - k % w.extent[0];
    const std::int64_t count = left < end - k ? left : end - k;
    const float* run = x + w.offset(k);
    for (std::int64_t i = 0; i < count; ++i)
      gathered[k - begin + i] = run[i];
    k += count;
  }
  return reduce_row<Op>(gathered, end - begin);
}

/// The same for `columns` neighbours at once, each in the order of reduce_row.
template <class Op>
void column_chunk(const Job& j,
                  const float* x,
                  std::int64_t begin,
                  std::int64_t end,
                  std::int64_t columns,
                  double* out) {
  float lane[kStreams * kColumns];
  for (std::int64_t k = begin; k < end; ++k) {
    const float* row = x + j.r.reduced.offset(k);
    float* a = lane + (k - begin) % kStreams * kColumns;
    if (k - begin < kStreams) {
      for (std::int64_t i = 0; i < columns; ++i)
        a[i] = row[i];
    } else {
      for (std::int64_t i = 0; i < columns; ++i)
        a[i] = Op::combine(a[i], row[i]);
    }
  }
  fold_lanes<Op>(lane, end - begin < kStreams ? end - begin : kStreams, columns);
  for (std::int64_t i = 0; i < columns; ++i)
    out[i] = lane[i];
}

/// Unit number `unit` of [outer, chunks, blocks].
template <class Op>
void run_unit(const Job& j, std::int64_t unit) {
  std::int64_t block = 0, chunk = 0, outer = unit;
  if (j.blocks > 1 || j.chunks > 1) {
    block = unit % j.blocks;
    chunk = unit / j.blocks % j.chunks;
    outer = unit / j.blocks / j.chunks;
  }
  const std::int64_t begin = chunk * kChunk, end = begin + kChunk < j.n ? begin + kChunk : j.n;
  double* out = j.partial + (outer * j.chunks + chunk) * j.inner + block * kColumns;
  const float* x = j.x + j.r.kept.offset(outer * j.inner + block * kColumns);
  if (j.inner == 1 && j.r.reduced.axes > 0 && j.r.reduced.stride[0] == 1) {
    *out = row_chunk<Op>(j, x, begin, end);
  } else {
    const std::int64_t left = j.inner - block * kColumns;
    column_chunk<Op>(j, x, begin, end, left < kColumns ? left : kColumns, out);
  }
}

template <class Op>
void finish(const Job& j, std::int64_t begin, std::int64_t end, float* y) {
  for (std::int64_t o = begin; o < end; ++o) {
    if (j.chunks == 0) {  // nothing to reduce, and no workspace
      y[o] = Op::finish(Op::kNothing, j.n);
      continue;
    }
    const double* p =
        j.partial + (j.chunks == 1 ? o : o / j.inner * j.chunks * j.inner + o % j.inner);
    double total = p[0];
    for (std::int64_t k = 1; k < j.chunks; ++k)
      total = Op::combine(total, p[k * j.inner]);
    y[o] = Op::finish(total, j.n);
  }
}

bool describe(const rt::KernelCall& c, Job& j) {
  if (!plan_reduction(c, j.r)) return false;
  const Walk &kept = j.r.kept, &reduced = j.r.reduced;
  j.n = reduced.size();
  j.chunks = (j.n + kChunk - 1) / kChunk;
  const bool rows = reduced.axes > 0 && reduced.stride[0] == 1;
  j.inner = rows || kept.axes == 0 ? 1 : kept.extent[0];
  j.blocks = (j.inner + kColumns - 1) / kColumns;
  return true;
}

rt::Needs need_partials(const rt::KernelCall& c) {
  Job j;
  return {.workspace = describe(c, j) ? c.out[0].size() * j.chunks * 8 : 0};
}

template <class Op>
Status run(const rt::KernelCall& c) {
  Job j;
  if (!describe(c, j)) return rt::invalid("too many groups of axes");
  const std::int64_t outputs = c.out[0].size();
  if (outputs == 0) return {};
  j.x = c.in[0].as<float>();
  j.partial = static_cast<double*>(c.workspace);
  const std::int64_t units = outputs / j.inner * j.chunks * j.blocks;
  const std::int64_t work =
      (j.n < kChunk ? j.n : kChunk) * (j.inner < kColumns ? j.inner : kColumns);
  rt::parallel_ranges(c, units, 32768 / (work + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t unit = begin; unit < end; ++unit)
      run_unit<Op>(j, unit);
  });
  rt::parallel_ranges(
      c, outputs, 32768 / (j.chunks + 1) + 1, [&](std::int64_t begin, std::int64_t end) {
        finish<Op>(j, begin, end, c.out[0].as<float>());
      });
  return {};
}

template <class Op>
constexpr rt::Kernel kernel() {
  return {.op = Op::kOp,
          .name = kKernelName<Op, float>.text,
          .types = {DType::float32},
          .isa = kIsa,
          .need = need_partials,
          .run = run<Op>};
}

}  // namespace

rt::KernelTable reduce_kernels() {
  static constexpr std::array<rt::Kernel, 4> table = {
      kernel<Sum>(), kernel<Mean>(), kernel<Max>(), kernel<Min>()};
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
