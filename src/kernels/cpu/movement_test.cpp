// Blocks of lines, tiles and single elements together exchange axes of any extent, and operands
// are joined whatever the length of a row.
#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {

namespace baseline {
rt::KernelTable movement_kernels();
}
namespace avx2 {
rt::KernelTable movement_kernels();
}
namespace avx512 {
rt::KernelTable movement_kernels();
}

namespace {

std::vector<rt::KernelTable> tables() {
  std::vector<rt::KernelTable> tables = {baseline::movement_kernels()};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) tables.push_back(avx2::movement_kernels());
  if (platform::detect() >= platform::Isa::avx512) tables.push_back(avx512::movement_kernels());
#endif
  return tables;
}

const rt::Kernel& find(const rt::KernelTable& table, const std::string& op) {
  for (std::size_t i = 0; i < table.size; ++i) {
    if (table.data[i].op == op) return table.data[i];
  }
  throw std::out_of_range(op);
}

template <class T>
std::vector<T> numbers(std::int64_t n) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    x[std::size_t(i)] = T(std::uint64_t(i) * 2654435761u >> 5);
  return x;
}

template <class T>
void expect_transposed(const rt::Kernel& kernel,
                       DType dtype,
                       std::int64_t rows,
                       std::int64_t columns) {
  std::vector<T> x = numbers<T>(rows * columns), y(x.size()), expected(x.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c)
      expected[std::size_t(c * rows + r)] = x[std::size_t(r * columns + c)];
  }
  const std::int64_t in_dims[] = {rows, columns}, out_dims[] = {columns, rows};
  const std::int64_t permutation[] = {1, 0};
  const rt::Attr attr = rt::Attr::int_list(permutation, 2);
  const rt::View in{x.data(), in_dims, dtype, 2}, out{y.data(), out_dims, dtype, 2};
  rt::KernelCall call;
  call.in = &in;
  call.out = &out;
  call.attrs = &attr;
  call.n_in = call.n_out = call.n_attrs = 1;
  ASSERT_TRUE(kernel.run(call).ok());
  EXPECT_EQ(y, expected) << name(dtype) << " " << rows << " x " << columns;
}

TEST(Transpose, MovesEveryElementOnce) {
  for (const rt::KernelTable& table : tables()) {
    const rt::Kernel& kernel = find(table, "Transpose");
    for (std::int64_t rows : {1, 4, 8, 15, 17, 64, 100, 129}) {
      for (std::int64_t columns : {1, 3, 8, 16, 31, 64, 130}) {
        expect_transposed<std::uint8_t>(kernel, DType::uint8, rows, columns);
        expect_transposed<std::uint16_t>(kernel, DType::uint16, rows, columns);
        expect_transposed<std::uint32_t>(kernel, DType::uint32, rows, columns);
        expect_transposed<std::uint64_t>(kernel, DType::uint64, rows, columns);
      }
    }
  }
}

void expect_joined(const rt::Kernel& kernel, std::int64_t rows, std::int64_t a, std::int64_t b) {
  std::vector<std::uint32_t> x = numbers<std::uint32_t>(rows * a);
  std::vector<std::uint32_t> z = numbers<std::uint32_t>(rows * b);
  std::vector<std::uint32_t> y(std::size_t(rows * (2 * a + b))), expected;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (int twice = 0; twice < 2; ++twice)
      expected.insert(expected.end(), x.begin() + r * a, x.begin() + (r + 1) * a);
    expected.insert(expected.end(), z.begin() + r * b, z.begin() + (r + 1) * b);
  }
  const std::int64_t dims_a[] = {rows, a}, dims_b[] = {rows, b}, dims_y[] = {rows, 2 * a + b};
  const rt::View in[] = {{x.data(), dims_a, DType::uint32, 2},
                         {x.data(), dims_a, DType::uint32, 2},
                         {z.data(), dims_b, DType::uint32, 2}};
  const rt::View out{y.data(), dims_y, DType::uint32, 2};
  const std::int64_t axis = 1;
  const rt::Attr attr = rt::Attr::int_list(&axis, 1);
  rt::KernelCall call;
  call.in = in;
  call.out = &out;
  call.attrs = &attr;
  call.n_in = 3;
  call.n_out = call.n_attrs = 1;
  ASSERT_TRUE(kernel.run(call).ok());
  EXPECT_EQ(y, expected) << rows << " rows of " << a << " and " << b;
}

TEST(Concat, JoinsRowsOfAnyLength) {
  for (const rt::KernelTable& table : tables()) {
    const rt::Kernel& kernel = find(table, "ConcatV2");
    expect_joined(kernel, 1, 3, 5);
    expect_joined(kernel, 70, 300, 1000);
    expect_joined(kernel, 3, 20000, 0);
    expect_joined(kernel, 0, 4, 4);
  }
}

}  // namespace
}  // namespace weir::kernels
