/// InTopKV2: counts the predictions above the target's.
#include <cmath>

#include "kernels/ref/wide.h"

namespace weir::kernels::ref {
namespace {

struct InTopK {
  static constexpr const char* kOp = "InTopKV2";
};

bool row_is_hit(const float* predictions,
                std::int64_t classes,
                std::int64_t target,
                std::int64_t k) {
  if (target < 0 || target >= classes) return false;
  std::int64_t larger = 0;
  for (std::int64_t i = 0; i < classes; ++i) {
    if (!std::isfinite(predictions[i])) return false;
    larger += predictions[i] > predictions[target];
  }
  return larger < k;
}

template <class T>
Status run(const rt::KernelCall& c) {
  const std::int64_t classes = c.in[0].dims[1];
  for (std::int64_t r = 0; r < c.in[0].dims[0]; ++r)
    c.out[0].as<bool>()[r] = row_is_hit(
        c.in[0].as<float>() + r * classes, classes, c.in[1].as<T>()[r], c.in[2].as<T>()[0]);
  return {};
}

template <class T>
constexpr rt::Kernel kernel() {
  return {.op = InTopK::kOp,
          .name = kKernelName<InTopK, T>.text,
          .types = {DType::float32, dtype_of<T>},
          .run = run<T>};
}

constexpr rt::Kernel kTable[] = {kernel<std::int32_t>(), kernel<std::int64_t>()};

}  // namespace

rt::KernelTable in_top_k_kernels() {
  return {kTable, sizeof kTable / sizeof *kTable};
}

}  // namespace weir::kernels::ref
