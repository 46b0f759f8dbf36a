/// Softmax and cross entropy of float32 along the last axis.
///
/// A row's result does not depend on the other rows: its sum is made in 32 lanes, lane i % 32
/// taking element i, which are then added pairwise, halving.
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
  static float of(float a, float b) { return a + b; }
};
struct Maximum {
  static float of(float a, float b) { return weir_max_f32(a, b); }
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

void softmax_rows(const float* x, float* y, std::int64_t rows, std::int64_t n) {
  shift_rows(x, y, rows, n);
  exp_block(y, y, rows * n);
  for (std::int64_t r = 0; r < rows; ++r, y += n) {
    const float scale = 1.0f / row_sum(y, n);
    for (std::int64_t i = 0; i < n; ++i)
      y[i] *= scale;
  }
}

void log_softmax_rows(const float* x, float* y, std::int64_t rows, std::int64_t n) {
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

/// backprop = exp(log_softmax) for rows that hold log_softmax already; rows with no elements have
/// no loss.
template <class Loss>
Status cross_entropy(const rt::KernelCall& c, Loss&& loss) {
  const rt::View& x = c.in[0];
  const std::int64_t classes = x.dims[x.rank - 1];
  for (std::int64_t r = 0; classes == 0 && r < c.out[0].size(); ++r)
    c.out[0].as<float>()[r] = 0;
  for_row_blocks(c,
                 [&](std::int64_t first, std::int64_t rows, const float* logits, std::int64_t n) {
                   float exps[kBlock], sums[kBlock];
                   float* backprop = c.out[1].as<float>() + first * n;
                   shift_rows(logits, backprop, rows, n);
                   log_sums(backprop, rows, n, exps, sums);
                   for (std::int64_t r = 0; r < rows; ++r) {
                     loss(first + r, backprop + r * n, sums[r], n);
                   }
                 });
  return {};
}

/// y = softmax, from the shifted row.
void finish_row(float* y, float log_sum, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = weir_exp_f32(y[i] - log_sum);
}

Status run_dense(const rt::KernelCall& c) {
  return cross_entropy(c, [&](std::int64_t row, float* y, float log_sum, std::int64_t n) {
    const float* labels = c.in[1].as<float>() + row * n;
    c.out[0].as<float>()[row] = dense_loss(labels, y, log_sum, n);
    finish_row(y, log_sum, n);
    for (std::int64_t i = 0; i < n; ++i)
      y[i] -= labels[i];
  });
}

template <class Label>
Status run_sparse(const rt::KernelCall& c) {
  const std::int64_t classes = c.in[0].dims[c.in[0].rank - 1];
  const Label* labels = c.in[1].as<Label>();
  if (Status s = check_labels(c, labels, c.out[0].size(), classes); !s.ok()) return s;
  return cross_entropy(c, [&](std::int64_t row, float* y, float log_sum, std::int64_t n) {
    c.out[0].as<float>()[row] = log_sum - y[labels[row]];
    finish_row(y, log_sum, n);
    y[labels[row]] -= 1.0f;
  });
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
