/// Softmax and cross entropy, row by row, in float64.
#include "kernels/ref/wide.h"
#include "kernels/scalar/labels.h"
#include "kernels/scalar/libm.h"

namespace weir::kernels::ref {
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

/// Length of a row: the last axis.
std::int64_t row_length(const rt::View& v) {
  return v.dims[v.rank - 1];
}
std::int64_t row_count(const rt::View& v) {
  std::int64_t n = 1;
  for (int i = 0; i + 1 < v.rank; ++i)
    n *= v.dims[i];
  return n;
}

/// What a row is computed from: exp(x - max) sums up to `sum`.
struct Row {
  double max = 0;
  double sum = 0;
};

template <class T>
Row measure(const T* x, std::int64_t n) {
  Row row;
  row.max = n > 0 ? widen(x[0]) : 0;
  for (std::int64_t i = 1; i < n; ++i)
    row.max = widen(x[i]) > row.max ? widen(x[i]) : row.max;
  for (std::int64_t i = 0; i < n; ++i)
    row.sum += weir_exp_f64(widen(x[i]) - row.max);
  return row;
}

template <class Op, class T>
Status run_softmax(const rt::KernelCall& c) {
  const std::int64_t n = row_length(c.in[0]), rows = row_count(c.in[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* x = c.in[0].as<T>() + r * n;
    T* y = c.out[0].as<T>() + r * n;
    const Row row = measure(x, n);
    const double log_sum = weir_log_f64(row.sum);
    for (std::int64_t i = 0; i < n; ++i) {
      const double shifted = widen(x[i]) - row.max;
      const bool is_log = std::is_same_v<Op, LogSoftmax>;
      y[i] = narrow<T>(is_log ? shifted - log_sum : weir_exp_f64(shifted) / row.sum);
    }
  }
  return {};
}

/// backprop = softmax(x) - labels; returns log(sum(exp(x))) - max(x).
template <class T, class Label>
double cross_entropy_row(const T* x, T* backprop, std::int64_t n, Label&& label) {
  const Row row = measure(x, n);
  const double log_sum = weir_log_f64(row.sum);
  double loss = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double shifted = widen(x[i]) - row.max, truth = label(i);
    if (truth != 0) loss += truth * (log_sum - shifted);
    backprop[i] = narrow<T>(weir_exp_f64(shifted) / row.sum - truth);
  }
  return loss;
}

template <class T>
Status run_dense(const rt::KernelCall& c) {
  const std::int64_t n = row_length(c.in[0]), rows = row_count(c.in[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* labels = c.in[1].as<T>() + r * n;
    c.out[0].as<T>()[r] = narrow<T>(cross_entropy_row(
        c.in[0].as<T>() + r * n, c.out[1].as<T>() + r * n, n, [&](std::int64_t i) {
          return widen(labels[i]);
        }));
  }
  return {};
}

template <class T, class Label>
Status run_sparse(const rt::KernelCall& c) {
  const std::int64_t n = row_length(c.in[0]), rows = row_count(c.in[0]);
  const Label* labels = c.in[1].as<Label>();
  if (Status s = check_labels(c, labels, rows, n); !s.ok()) return s;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t truth = labels[r];
    c.out[0].as<T>()[r] = narrow<T>(cross_entropy_row(
        c.in[0].as<T>() + r * n, c.out[1].as<T>() + r * n, n, [&](std::int64_t i) {
          return i == truth ? 1.0 : 0.0;
        }));
  }
  return {};
}

template <class Op, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> softmax_table(Types<Ts...>) {
  return {rt::Kernel{.op = Op::kOp,
                     .name = kKernelName<Op, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .run = run_softmax<Op, Ts>}...};
}

template <class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> dense_table(Types<Ts...>) {
  return {rt::Kernel{.op = DenseCrossEntropy::kOp,
                     .name = kKernelName<DenseCrossEntropy, Ts>.text,
                     .types = {dtype_of<Ts>},
                     .run = run_dense<Ts>}...};
}

template <class Label, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> sparse_table(Types<Ts...>) {
  return {rt::Kernel{.op = SparseCrossEntropy::kOp,
                     .name = kKernelName<SparseCrossEntropy, Ts, Label>.text,
                     .types = {dtype_of<Ts>, dtype_of<Label>},
                     .run = run_sparse<Ts, Label>}...};
}

}  // namespace

rt::KernelTable softmax_kernels() {
  static const auto table = concatenate(softmax_table<Softmax>(Floating{}),
                                        softmax_table<LogSoftmax>(Floating{}),
                                        dense_table(Floating{}),
                                        sparse_table<std::int32_t>(Floating{}),
                                        sparse_table<std::int64_t>(Floating{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
