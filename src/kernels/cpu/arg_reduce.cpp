/// Where the largest or smallest float32 along an axis stands, in vectors. The lowest index of
/// ties; a NaN gives way to any number; 0 where all are NaN.
#include <array>

#include "kernels/cpu/vec.h"
#include "kernels/scalar/reduction.h"
#include "kernels/scalar/types.h"
#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {
namespace {

// Elements of a slice; small enough for the cache, large enough to be worth a thread.
constexpr std::int64_t kGrain = 16384;
constexpr int kWidth = kLanes<float>;

struct ArgMax {
  static constexpr const char* kOp = "ArgMax";
  template <class V>
  static auto better(V v, V best) {
    return (v > best) | ((best != best) & (v == v));
  }
};
struct ArgMin {
  static constexpr const char* kOp = "ArgMin";
  template <class V>
  static auto better(V v, V best) {
    return (v < best) | ((best != best) & (v == v));
  }
};

/// The best of n contiguous elements.
template <class Op>
float best_value(const float* x, std::int64_t n) {
  float best = x[0];
  std::int64_t i = 1;
  if (n >= kWidth) {
    Vec<float> lanes = load(x);
    for (i = kWidth; i + kWidth <= n; i += kWidth) {
      const Vec<float> v = load(x + i);
      lanes = Op::better(v, lanes) ? v : lanes;
    }
    for (int l = 0; l < kWidth; ++l)
      best = Op::better(float(lanes[l]), best) ? float(lanes[l]) : best;
  }
  for (; i < n; ++i)
    best = Op::better(x[i], best) ? x[i] : best;
  return best;
}

/// The first of n elements that equals `value`; 0 if there is none.
std::int64_t index_of(const float* x, std::int64_t n, float value) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (x[i] == value) return i;
  }
  return 0;
}

/// One column of n elements `stride` apart.
template <class Op>
std::int64_t best_index(const float* x, std::int64_t n, std::int64_t stride) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    if (Op::better(x[i * stride], x[best * stride])) best = i;
  }
  return best;
}

/// kWidth columns side by side.
template <class Op, class Index>
void best_indices(const float* x, std::int64_t n, std::int64_t stride, Index* y) {
  using Lanes = decltype(Vec<float>{} == Vec<float>{});
  Vec<float> best = load(x);
  Lanes at = {};
  for (std::int64_t i = 1; i < n; ++i) {
    const Vec<float> v = load(x + i * stride);
    const auto take = Op::better(v, best);
    best = take ? v : best;
    at = take ? Lanes{} + int(i) : at;
  }
  for (int l = 0; l < kWidth; ++l)
    y[l] = Index(at[l]);
}

template <class Op, class Index>
void run_columns(const float* x, const Line& line, Index* y) {
  std::int64_t c = 0;
  if (line.n <= INT32_MAX) {
    for (; c + kWidth <= line.inner; c += kWidth)
      best_indices<Op>(x + c, line.n, line.inner, y + c);
  }
  for (; c < line.inner; ++c)
    y[c] = Index(best_index<Op>(x + c, line.n, line.inner));
}

template <class Op, class Index>
Status run(const rt::KernelCall& c) {
  const Line l = line_of(c);
  if (c.out[0].size() == 0) return {};
  rt::parallel_ranges(
      c, l.outer, kGrain / (l.n * l.inner) + 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t o = begin; o < end; ++o) {
          const float* x = c.in[0].as<float>() + o * l.n * l.inner;
          Index* y = c.out[0].as<Index>() + o * l.inner;
          if (l.inner == 1)
            y[0] = Index(index_of(x, l.n, best_value<Op>(x, l.n)));
          else
            run_columns<Op>(x, l, y);
        }
      });
  return {};
}

template <class Op, class Index>
constexpr rt::Kernel kernel() {
  return {.op = Op::kOp,
          .name = kKernelName<Op, float, Index>.text,
          .types = {DType::float32, DType::invalid, dtype_of<Index>},
          .isa = kIsa,
          .run = run<Op, Index>};
}

}  // namespace

rt::KernelTable arg_reduce_kernels() {
  static constexpr std::array<rt::Kernel, 4> table = {kernel<ArgMax, std::int32_t>(),
                                                      kernel<ArgMax, std::int64_t>(),
                                                      kernel<ArgMin, std::int32_t>(),
                                                      kernel<ArgMin, std::int64_t>()};
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
