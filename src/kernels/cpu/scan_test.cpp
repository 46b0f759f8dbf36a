// The scans have the bits of the reference, for every way of walking.
#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {

namespace ref {
rt::KernelTable reduce_kernels();
}
namespace baseline {
rt::KernelTable scan_kernels();
}
namespace avx2 {
rt::KernelTable scan_kernels();
}
namespace avx512 {
rt::KernelTable scan_kernels();
}

namespace {

std::vector<rt::KernelTable> tables() {
  std::vector<rt::KernelTable> tables = {baseline::scan_kernels()};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) tables.push_back(avx2::scan_kernels());
  if (platform::detect() >= platform::Isa::avx512) tables.push_back(avx512::scan_kernels());
#endif
  return tables;
}

const rt::Kernel& find(const rt::KernelTable& table, const std::string& op, DType dtype) {
  for (std::size_t i = 0; i < table.size; ++i) {
    if (table.data[i].op == op && table.data[i].types[0] == dtype) return table.data[i];
  }
  throw std::out_of_range(op);
}

struct Case {
  std::int64_t dims[3];
  bool exclusive, reverse;
};

template <class T>
std::vector<T> run(const rt::Kernel& kernel, const Case& c, std::vector<T>& x) {
  const std::int64_t axis = 1;
  std::vector<T> y(x.size(), T(-1));
  const rt::Attr attrs[] = {
      rt::Attr::int_list(&axis, 1), rt::Attr::boolean(c.exclusive), rt::Attr::boolean(c.reverse)};
  const rt::View in{x.data(), c.dims, kernel.types[0], 3}, out{y.data(), c.dims, in.dtype, 3};
  rt::KernelCall call;
  call.in = &in;
  call.out = &out;
  call.attrs = attrs;
  call.n_in = call.n_out = 1;
  call.n_attrs = 3;
  EXPECT_TRUE(kernel.run(call).ok());
  return y;
}

template <class T>
void expect_reference(const std::string& op, DType dtype, const Case& c) {
  std::mt19937 random(7);
  std::normal_distribution<T> normal(0.9, 0.3);
  std::vector<T> x(std::size_t(c.dims[0] * c.dims[1] * c.dims[2]));
  for (T& v : x)
    v = normal(random);
  if (x.size() > 40) x[40] = -std::numeric_limits<T>::infinity();
  const std::vector<T> expected = run(find(ref::reduce_kernels(), op, dtype), c, x);
  for (const rt::KernelTable& table : tables()) {
    const std::vector<T> y = run(find(table, op, dtype), c, x);
    EXPECT_TRUE(y.empty() || std::memcmp(y.data(), expected.data(), y.size() * sizeof(T)) == 0)
        << op << " of " << c.dims[0] << " x " << c.dims[1] << " x " << c.dims[2];
  }
}

TEST(Scan, EqualsTheReference) {
  for (const char* op : {"Cumsum", "Cumprod"}) {
    for (int flags = 0; flags < 4; ++flags) {
      for (auto [outer, n, inner] : {std::array{7, 33, 1},
                                     std::array{1, 500, 1},
                                     std::array{64, 1, 1},
                                     std::array{3, 9, 70},
                                     std::array{2, 40, 3},
                                     std::array{0, 5, 2}}) {
        const Case c{{outer, n, inner}, (flags & 1) != 0, (flags & 2) != 0};
        expect_reference<float>(op, DType::float32, c);
        expect_reference<double>(op, DType::float64, c);
      }
    }
  }
}

}  // namespace
}  // namespace weir::kernels
