// The vectorised searches find what the reference finds, among ties, NaN and zeros of both signs.
#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {

namespace ref {
rt::KernelTable reduce_kernels();
}
namespace baseline {
rt::KernelTable arg_reduce_kernels();
}
namespace avx2 {
rt::KernelTable arg_reduce_kernels();
}
namespace avx512 {
rt::KernelTable arg_reduce_kernels();
}

namespace {

std::vector<rt::KernelTable> tables() {
  std::vector<rt::KernelTable> tables = {baseline::arg_reduce_kernels()};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) tables.push_back(avx2::arg_reduce_kernels());
  if (platform::detect() >= platform::Isa::avx512) tables.push_back(avx512::arg_reduce_kernels());
#endif
  return tables;
}

const rt::Kernel& find(const rt::KernelTable& table, const std::string& op) {
  for (std::size_t i = 0; i < table.size; ++i) {
    const rt::Kernel& k = table.data[i];
    if (k.op == op && k.types[0] == DType::float32 && k.types[2] == DType::int64) return k;
  }
  throw std::out_of_range(op);
}

std::vector<std::int64_t> run(const rt::Kernel& kernel,
                              const std::int64_t (&dims)[3],
                              std::vector<float>& x) {
  const std::int64_t axis = 1, out_dims[] = {dims[0], dims[2]};
  std::vector<std::int64_t> y(std::size_t(dims[0] * dims[2]), -1);
  const rt::Attr attrs[] = {rt::Attr::int_list(&axis, 1)};
  const rt::View in{x.data(), dims, DType::float32, 3};
  const rt::View out{y.data(), out_dims, DType::int64, 2};
  rt::KernelCall call;
  call.in = &in;
  call.out = &out;
  call.attrs = attrs;
  call.n_in = call.n_out = call.n_attrs = 1;
  EXPECT_TRUE(kernel.run(call).ok());
  return y;
}

TEST(ArgReduce, FindsWhatTheReferenceFinds) {
  const float values[] = {-2, -0.f, 0, 1, 3, NAN, -INFINITY, INFINITY};
  std::mt19937 random(1);
  for (const rt::KernelTable& table : tables()) {
    for (const char* op : {"ArgMax", "ArgMin"}) {
      for (const std::int64_t n : {1, 2, 7, 16, 33, 100}) {
        for (const std::int64_t inner : {1, 3, 16, 37}) {
          // Few kinds of values: some lines hold nothing but NaN, or no NaN at all.
          for (const unsigned kinds : {1u, 2u, 5u, 8u}) {
            const std::int64_t dims[] = {3, n, inner};
            std::vector<float> x;
            for (std::int64_t i = 0; i < 3 * n * inner; ++i)
              x.push_back(values[(random() % kinds + 5) % 8]);
            EXPECT_EQ(run(find(table, op), dims, x), run(find(ref::reduce_kernels(), op), dims, x))
                << find(table, op).name << " " << n << " " << inner << " " << kinds;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace weir::kernels
