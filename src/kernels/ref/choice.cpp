/// Permutations and draws of classes, from Philox.
#include <algorithm>
#include <cmath>

#include "kernels/ref/wide.h"
#include "kernels/scalar/libm.h"
#include "kernels/scalar/philox_seed.h"

namespace weir::kernels::ref {
namespace {

struct Permutation {
  static constexpr const char* kOp = "StatelessPermutation";
};
struct Multinomial {
  static constexpr const char* kOp = "StatelessMultinomial";
};

/// Words one after the other.
class Words {
 public:
  explicit Words(const weir_philox& start) : block_(start) {}
  std::uint32_t next() {
    if (used_ == 4) {
      weir_philox_words(&block_, words_);
      weir_philox_skip(&block_, 1);
      used_ = 0;
    }
    return words_[used_++];
  }
  std::uint64_t next64() {
    const std::uint64_t low = next();
    return low | std::uint64_t(next()) << 32;
  }
  double unit() {
    const std::uint32_t high = next();
    return weir_uniform_f64(high, next());
  }

 private:
  weir_philox block_;
  std::uint32_t words_[4] = {};
  int used_ = 4;
};

/// Fisher and Yates, from the end. The bias of the remainder is below n / 2^64.
Status run_permutation(const rt::KernelCall& c) {
  auto* out = c.out[0].as<std::int64_t>();
  const std::int64_t n = c.out[0].size();
  Words words(philox_from(c.in[0]));
  for (std::int64_t i = 0; i < n; ++i)
    out[i] = i;
  for (std::int64_t i = n - 1; i > 0; --i)
    std::swap(out[i], out[words.next64() % std::uint64_t(i + 1)]);
  return {};
}

rt::Needs need_sums(const rt::KernelCall& c) {
  return {.workspace = c.in[0].dims[1] * std::int64_t(sizeof(double))};
}

/// sums[i] = sum of exp(x[j] - max) over finite x[j], j <= i. Returns the total.
template <class T>
double cumulate(const T* x, std::int64_t n, double* sums) {
  double max = -std::numeric_limits<double>::infinity(), total = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (std::isfinite(widen(x[i])) && widen(x[i]) > max) max = widen(x[i]);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    if (std::isfinite(widen(x[i]))) total += weir_exp_f64(widen(x[i]) - max);
    sums[i] = total;
  }
  return total;
}

/// Row r draws from the counters that begin at r * ceil(samples / 2).
template <class T, class Out>
Status run_multinomial(const rt::KernelCall& c) {
  const std::int64_t rows = c.in[0].dims[0], n = c.in[0].dims[1], samples = c.out[0].dims[1];
  auto* sums = static_cast<double*>(c.workspace);
  for (std::int64_t r = 0; r < rows; ++r) {
    const double total = cumulate(c.in[0].as<T>() + r * n, n, sums);
    if (total == 0) {
      rt::Message(c) << "row " << r << " of logits has no finite value";
      return rt::invalid("a row of logits has no finite value");
    }
    weir_philox start = philox_from(c.in[1]);
    weir_philox_skip(&start, std::uint64_t(r) * std::uint64_t((samples + 1) / 2));
    Words words(start);
    for (std::int64_t s = 0; s < samples; ++s)
      c.out[0].as<Out>()[r * samples + s] =
          Out(std::upper_bound(sums, sums + n, words.unit() * total) - sums);
  }
  return {};
}

template <class Out, class... Ts>
constexpr std::array<rt::Kernel, sizeof...(Ts)> multinomial(Types<Ts...>) {
  return {rt::Kernel{.op = Multinomial::kOp,
                     .name = kKernelName<Multinomial, Ts, Out>.text,
                     .types = {dtype_of<Ts>, DType::invalid, dtype_of<Out>},
                     .need = need_sums,
                     .run = run_multinomial<Ts, Out>}...};
}

constexpr std::array<rt::Kernel, 1> kPermutation = {
    rt::Kernel{.op = Permutation::kOp,
               .name = kKernelName<Permutation, std::int64_t>.text,
               .types = {},
               .run = run_permutation}};

}  // namespace

rt::KernelTable choice_kernels() {
  static const auto table = concatenate(
      kPermutation, multinomial<std::int32_t>(Floating{}), multinomial<std::int64_t>(Floating{}));
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::ref
