/// Softmax and cross entropy of float32 along the last axis.
///
/// A row's result does not depend on the other rows: its sum is made in 32 lanes, lane i % 32
/// taking element i, which are then added pairwise, halving.
#include "kernels/cpu/vec.h"
#include "kernels/scalar/arith.h"
#include "kernels/scalar/exp_block.h"
#include "kernels/scalar/labels.h"
#include "kernels/scalar/log.h"
#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {
namespace {

struct Softmax {
  static constexpr const char* kOp = "Softmax";
};
struct LogSoftmax {
  static constexpr const char* kOp = "LogSoftmax";
};
struct DenseCrossEntropy {
  static constexpr const char* kOp = "SoftmaxCrossEntropyWithLogits";
};
struct SparseCrossEntropy {
  static constexpr const char* kOp = "SparseSoftmaxCrossEntropyWithLogits";
};

constexpr int kSumLanes = 32;
constexpr std::int64_t kBlock = 2048;  // elements worked on at a time: 8 KiB

/// Values combined in lanes.
template <class Combine>
struct LaneTotal {
  float lane[kSumLanes];

  explicit LaneTotal(float neutral) {
    for (float& value : lane)
      value = neutral;
  }

  /// `n` is a multiple of the number of lanes except in the last call.
  void add(const float* x, std::int64_t n) {
    for (; n >= kSumLanes; n -= kSumLanes, x += kSumLanes) {
      for (int l = 0; l < kSumLanes; ++l)
        lane[l] = Combine::of(lane[l], x[l]);
    }
    for (int l = 0; l < n; ++l)
      lane[l] = Combine::of(lane[l], x[l]);
  }

  float total() {
    for (int half = kSumLanes / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l)
        lane[l] = Combine::of(lane[l], lane[l + half]);
    }
    return lane[0];
  }
};

struct Add {
  template <class T>
  static T of(T a, T b) {
    return a + b;
  }
};
struct Maximum {
  static float of(float a, float b) { return weir_max_f32(a, b); }
  static Vec<float> of(Vec<float> a, Vec<float> b) { return (a > b) | (a != a) ? a : b; }
};

float row_max(const float* x, std::int64_t n) {
  LaneTotal<Maximum> lanes(-weir_inf_f32());
  lanes.add(x, n);
  return lanes.total();
}

float row_sum(const float* x, std::int64_t n) {
  LaneTotal<Add> lanes(0);
  lanes.add(x, n);
  return lanes.total();
}

/// y = x - max(row of x)
void shift_rows(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const float max = row_max(x, n);
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = x[i] - max;
  }
}

/// log(sum(exp(row))) of each of the shifted rows; `exps` has room for kBlock elements.
void log_sums(const float* shifted, std::int64_t rows, std::int64_t n, float* exps, float* out) {
  if (rows * n <= kBlock) {
    exp_block(shifted, exps, rows * n);
    for (std::int64_t r = 0; r < rows; ++r)
      out[r] = weir_log_f32(row_sum(exps + r * n, n));
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    LaneTotal<Add> lanes(0);
    for (std::int64_t i = 0; i < n; i += kBlock) {
      const std::int64_t count = n - i < kBlock ? n - i : kBlock;
      exp_block(shifted + r * n + i, exps, count);
      lanes.add(exps, count);
    }
    out[r] = weir_log_f32(lanes.total());
  }
}

/// A short row in as many lanes as are needed, a power of two; a block of such rows is worked on at
/// once. The lanes behind a row's end change no sum and no maximum, so these are the bits that
/// LaneTotal would give.
template <int W>
struct ShortRows {
  static constexpr int kWidth = W;
  static constexpr std::int64_t kRows = kBlock / W;
  static constexpr int kVectors = W / kLanes<float>;
  alignas(64) float shifted[kBlock];
  alignas(64) float exps[kBlock];
  float sums[kRows];

  template <class Combine>
  static float total(Vec<float> (&v)[kVectors]) {
    for (int half = kVectors / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i)
        v[i] = Combine::of(v[i], v[i + half]);
    }
    float lane[kLanes<float>];
    store(lane, v[0]);
    for (int half = kLanes<float> / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l)
        lane[l] = Combine::of(lane[l], lane[l + half]);
    }
    return lane[0];
  }

  /// shifted = x - max(row of x), exps = exp(shifted), sums = sum(row of exps)
  [[gnu::noinline]] void load_rows(const float* x, std::int64_t rows, std::int64_t n) {
    for (std::int64_t r = 0; r < rows; ++r) {
      float last[W] = {};
      const bool whole = r * n + W <= rows * n;  // all lanes, with some of the next rows
      for (std::int64_t i = 0; !whole && i < n; ++i)
        last[i] = x[r * n + i];
      shift(whole ? x + r * n : last, n, shifted + r * W);
    }
    exp_block(shifted, exps, rows * W);
    for (std::int64_t r = 0; r < rows; ++r) {
      Vec<float> v[kVectors];
      for (int i = 0; i < kVectors; ++i)
        v[i] = load(exps + r * W + i * kLanes<float>);
      sums[r] = total<Add>(v);
    }
  }
  static void shift(const float* x, std::int64_t n, float* y) {
    using Index = std::int32_t __attribute__((vector_size(kVectorBytes)));
    Index index;
    for (int l = 0; l < kLanes<float>; ++l)
      index[l] = l;
    Vec<float> v[kVectors], combined[kVectors];
    for (int i = 0; i < kVectors; ++i) {
      const Vec<float> neutral = broadcast(-weir_inf_f32());
      v[i] = index < int(n) - i * kLanes<float> ? load(x + i * kLanes<float>) : neutral;
      combined[i] = v[i];
    }
    const Vec<float> max = broadcast(total<Maximum>(combined));
    for (int i = 0; i < kVectors; ++i)
      store(y + i * kLanes<float>, v[i] - max);
  }

  /// sums = log(sums)
  [[gnu::noinline]] void take_logs(std::int64_t rows) {
    for (std::int64_t r = 0; r < rows; ++r)
      sums[r] = weir_log_f32(sums[r]);
  }
  /// shifted = log softmax
  [[gnu::noinline]] void subtract_logs(std::int64_t rows) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (int l = 0; l < W; ++l)
        shifted[r * W + l] -= sums[r];
    }
  }
  /// The rows without the other lanes.
  [[gnu::noinline]] static void store_rows(const float* lanes,
                                           std::int64_t rows,
                                           std::int64_t n,
                                           float* y) {
    for (std::int64_t r = 0; r < rows; ++r, y += n, lanes += W) {
      const bool whole = r * n + W <= rows * n;  // what is too much is overwritten by the next rows
      for (int i = 0; whole && i < kVectors; ++i)
        store(y + i * kLanes<float>, load(lanes + i * kLanes<float>));
      for (std::int64_t i = 0; !whole && i < n; ++i)
        y[i] = lanes[i];
    }
  }
};

template <int W, class Body>
void with_rows_of(Body& body) {
  ShortRows<W> rows;
  body(rows);
}

/// Calls body(ShortRows<W>&) if rows of `n` elements are short, and tells so.
template <class Body>
bool with_short_rows(std::int64_t n, Body&& body) {
  constexpr int kFewest = kLanes<float> < 8 ? 8 : kLanes<float>;
  if (n > 32) return false;
  if (n <= kFewest) {
    with_rows_of<kFewest>(body);
  } else if (n <= 16) {
    with_rows_of<16>(body);
  } else {
    with_rows_of<32>(body);
  }
  return true;
}

/// Calls body(first, count) for the rows that ShortRows<W> takes at once.
template <int W, class Body>
void for_short_blocks(ShortRows<W>&, std::int64_t rows, Body&& body) {
  for (std::int64_t r = 0; r < rows; r += ShortRows<W>::kRows)
    body(r, rows - r < ShortRows<W>::kRows ? rows - r : ShortRows<W>::kRows);
}

bool short_softmax(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  return with_short_rows(n, [&](auto& block) {
    constexpr int W = std::decay_t<decltype(block)>::kWidth;
    for_short_blocks(block, rows, [&](std::int64_t first, std::int64_t count) {
      block.load_rows(x + first * n, count, n);
      for (std::int64_t r = 0; r < count; ++r) {
        const float scale = 1.0f / block.sums[r];
        for (int l = 0; l < W; ++l)
          block.exps[r * W + l] *= scale;
      }
      block.store_rows(block.exps, count, n, y + first * n);
    });
  });
}

bool short_log_softmax(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  return with_short_rows(n, [&](auto& block) {
    for_short_blocks(block, rows, [&](std::int64_t first, std::int64_t count) {
      block.load_rows(x + first * n, count, n);
      block.take_logs(count);
      block.subtract_logs(count);
      block.store_rows(block.shifted, count, n, y + first * n);
    });
  });
}

void softmax_rows(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  if (short_softmax(x, y, rows, n)) return;
  shift_rows(x, y, rows, n);
  exp_block(y, y, rows * n);
  for (std::int64_t r = 0; r < rows; ++r, y += n) {
    const float scale = 1.0f / row_sum(y, n);
    for (std::int64_t i = 0; i < n; ++i)
      y[i] *= scale;
  }
}

void log_softmax_rows(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  if (short_log_softmax(x, y, rows, n)) return;
  float exps[kBlock], sums[kBlock];
  shift_rows(x, y, rows, n);
  log_sums(y, rows, n, exps, sums);
  for (std::int64_t r = 0; r < rows; ++r, y += n) {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] -= sums[r];
  }
}

/// Calls body(first row, rows, logits, length of a row) for blocks of about kBlock elements.
template <class Body>
void for_row_blocks(const rt::KernelCall& c, Body&& body) {
  const rt::View& x = c.in[0];
  const std::int64_t n = x.dims[x.rank - 1];
  const std::int64_t rows = n > 0 ? x.size() / n : 0;
  const std::int64_t step = n < kBlock && n > 0 ? kBlock / n : 1;
  rt::parallel_ranges(c,
                      rows,
                      n < 16384 ? 16384 / (n + 1) / step * step + step : 1,
                      [&](std::int64_t begin, std::int64_t end) {
                        for (std::int64_t r = begin; r < end; r += step) {
                          body(r, end - r < step ? end - r : step, x.as<float>() + r * n, n);
                        }
                      });
}

template <class Op>
Status run_softmax(const rt::KernelCall& c) {
  for_row_blocks(c, [&](std::int64_t r, std::int64_t rows, const float* x, std::int64_t n) {
    float* y = c.out[0].as<float>() + r * n;
    if constexpr (std::is_same_v<Op, Softmax>)
      softmax_rows(x, y, rows, n);
    else
      log_softmax_rows(x, y, rows, n);
  });
  return {};
}

/// Sum of labels[i] * (log_sum - shifted[i]), where a label of 0 takes nothing from an infinite
/// logit.
float dense_loss(const float* labels, const float* shifted, float log_sum, std::int64_t n) {
  LaneTotal<Add> lanes(0);
  float terms[kSumLanes];
  for (std::int64_t i = 0; i < n; i += kSumLanes) {
    const std::int64_t count = n - i < kSumLanes ? n - i : kSumLanes;
    for (std::int64_t l = 0; l < count; ++l) {
      const float term = labels[i + l] * (log_sum - shifted[i + l]);
      terms[l] = labels[i + l] == 0.0f ? 0.0f : term;
    }
    lanes.add(terms, count);
  }
  return lanes.total();
}

/// y = exp(y - log_sum), the softmax of a shifted row.
void finish_row(float* y, float log_sum, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = weir_exp_f32(y[i] - log_sum);
}

/// out[0] = loss.of(row, shifted row, log of its sum, n), out[1] = softmax, of which
/// loss.subtract(row, y, n) makes the gradient.
template <class Loss>
struct CrossEntropy {
  const Loss& loss;
  float* losses;

  void run(std::int64_t first, std::int64_t rows, const float* x, float* y, std::int64_t n) const {
    if (run_short(first, rows, x, y, n)) return;
    float exps[kBlock], sums[kBlock];
    shift_rows(x, y, rows, n);
    log_sums(y, rows, n, exps, sums);
    for (std::int64_t r = 0; r < rows; ++r) {
      losses[first + r] = loss.of(first + r, y + r * n, sums[r], n);
      finish_row(y + r * n, sums[r], n);
      loss.subtract(first + r, y + r * n, n);
    }
  }
  bool run_short(
      std::int64_t row, std::int64_t rows, const float* x, float* y, std::int64_t n) const {
    return with_short_rows(n, [&](auto& block) {
      constexpr int W = std::decay_t<decltype(block)>::kWidth;
      for_short_blocks(block, rows, [&](std::int64_t first, std::int64_t count) {
        block.load_rows(x + first * n, count, n);
        block.take_logs(count);
        for (std::int64_t r = 0; r < count; ++r)
          losses[row + first + r] =
              loss.of(row + first + r, block.shifted + r * W, block.sums[r], n);
        block.subtract_logs(count);
        exp_block(block.shifted, block.exps, count * W);
        block.store_rows(block.exps, count, n, y + first * n);
        for (std::int64_t r = first; r < first + count; ++r)
          loss.subtract(row + r, y + r * n, n);
      });
    });
  }
};

/// Rows with no elements have no loss.
template <class Loss>
Status cross_entropy(const rt::KernelCall& c, const Loss& loss) {
  const rt::View& x = c.in[0];
  const std::int64_t classes = x.dims[x.rank - 1];
  for (std::int64_t r = 0; classes == 0 && r < c.out[0].size(); ++r)
    c.out[0].as<float>()[r] = 0;
  const CrossEntropy<Loss> entropy{loss, c.out[0].as<float>()};
  for_row_blocks(c,
                 [&](std::int64_t first, std::int64_t rows, const float* logits, std::int64_t n) {
                   entropy.run(first, rows, logits, c.out[1].as<float>() + first * n, n);
                 });
  return {};
}

struct DenseLabels {
  const float* labels;
  float of(std::int64_t row, const float* shifted, float log_sum, std::int64_t n) const {
    return dense_loss(labels + row * n, shifted, log_sum, n);
  }
  void subtract(std::int64_t row, float* y, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] -= labels[row * n + i];
  }
};

template <class Label>
struct SparseLabels {
  const Label* labels;
  float of(std::int64_t row, const float* shifted, float log_sum, std::int64_t) const {
    return log_sum - shifted[labels[row]];
  }
  void subtract(std::int64_t row, float* y, std::int64_t) const { y[labels[row]] -= 1.0f; }
};

Status run_dense(const rt::KernelCall& c) {
  return cross_entropy(c, DenseLabels{c.in[1].as<float>()});
}

template <class Label>
Status run_sparse(const rt::KernelCall& c) {
  const std::int64_t classes = c.in[0].dims[c.in[0].rank - 1];
  const Label* labels = c.in[1].as<Label>();
  if (Status s = check_labels(c, labels, c.out[0].size(), classes); !s.ok()) return s;
  return cross_entropy(c, SparseLabels<Label>{labels});
}

template <class Op>
constexpr rt::Kernel softmax_kernel() {
  return {.op = Op::kOp,
          .name = kKernelName<Op, float>.text,
          .types = {DType::float32},
          .isa = kIsa,
          .run = run_softmax<Op>};
}

template <class Label>
constexpr rt::Kernel sparse_kernel() {
  return {.op = SparseCrossEntropy::kOp,
          .name = kKernelName<SparseCrossEntropy, float, Label>.text,
          .types = {DType::float32, dtype_of<Label>},
          .isa = kIsa,
          .run = run_sparse<Label>};
}

constexpr rt::Kernel kTable[] = {
    softmax_kernel<Softmax>(),
    softmax_kernel<LogSoftmax>(),
    {.op = DenseCrossEntropy::kOp,
     .name = kKernelName<DenseCrossEntropy, float>.text,
     .types = {DType::float32},
     .isa = kIsa,
     .run = run_dense},
    sparse_kernel<std::int32_t>(),
    sparse_kernel<std::int64_t>(),
};

}  // namespace

rt::KernelTable softmax_kernels() {
  return {kTable, sizeof kTable / sizeof *kTable};
}

}  // namespace weir::kernels::WEIR_ISA
