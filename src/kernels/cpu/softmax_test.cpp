#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "platform/cpu_features.h"

namespace weir::kernels {

namespace baseline {
rt::KernelTable softmax_kernels();
}
namespace avx2 {
rt::KernelTable softmax_kernels();
}
namespace avx512 {
rt::KernelTable softmax_kernels();
}

namespace {

std::vector<rt::KernelTable> tables() {
  std::vector<rt::KernelTable> tables = {baseline::softmax_kernels()};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) tables.push_back(avx2::softmax_kernels());
  if (platform::detect() >= platform::Isa::avx512) tables.push_back(avx512::softmax_kernels());
#endif
  return tables;
}

const rt::Kernel& find(const rt::KernelTable& table, const std::string& op, DType second) {
  for (size_t i = 0; i < table.size; ++i) {
    const rt::Kernel& kernel = table.data[i];
    if (kernel.op == op && (kernel.types[1] == second || kernel.types[1] == DType::invalid)) {
      return kernel;
    }
  }
  std::abort();
}

struct Rows {
  int64_t dims[2];
  std::vector<float> x;

  Rows(int64_t rows, int64_t n) : dims{rows, n}, x(rows * n) {
    std::mt19937 random(static_cast<uint32_t>(n));
    std::normal_distribution<float> normal(0, 4);
    for (float& value : x)
      value = normal(random);
  }

  std::vector<double> log_sums() const {
    std::vector<double> sums;
    for (int64_t r = 0; r < dims[0]; ++r)
      sums.push_back(log_sum(r));
    return sums;
  }

  double log_sum(int64_t row) const {
    double max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < dims[1]; ++i)
      max = std::max<double>(max, x[row * dims[1] + i]);
    for (int64_t i = 0; i < dims[1]; ++i)
      sum += std::exp(x[row * dims[1] + i] - max);
    return max + std::log(sum);
  }

  rt::View view(float* data) const { return {data, dims, DType::float32, 2}; }
};

std::vector<float> run_softmax(const rt::KernelTable& table, const char* op, Rows& rows) {
  std::vector<float> y(rows.x.size());
  const rt::View in = rows.view(rows.x.data()), out = rows.view(y.data());
  const rt::Kernel& kernel = find(table, op, DType::invalid);
  EXPECT_TRUE(kernel.run({.kernel = &kernel, .in = &in, .out = &out}).ok());
  return y;
}

constexpr int64_t kShapes[][2] = {
    {0, 3}, {3, 0}, {1, 1}, {100, 10}, {7, 31}, {5, 32}, {9, 33}, {3, 1000}, {2, 5000}, {500, 3}};

TEST(SoftmaxKernel, RowsSumToOne) {
  for (const rt::KernelTable& table : tables()) {
    for (const auto& [count, n] : kShapes) {
      Rows rows(count, n);
      const std::vector<float> y = run_softmax(table, "Softmax", rows);
      const std::vector<float> log_y = run_softmax(table, "LogSoftmax", rows);
      const std::vector<double> sums = rows.log_sums();
      for (int64_t i = 0; i < count * n; ++i) {
        const double expected = rows.x[i] - sums[i / n];
        ASSERT_NEAR(y[i], std::exp(expected), 2e-6 * std::exp(expected)) << n << " at " << i;
        ASSERT_NEAR(log_y[i], expected, 4e-6) << n << " at " << i;
      }
    }
  }
}

TEST(SoftmaxKernel, ARowDoesNotDependOnTheOthers) {
  for (const rt::KernelTable& table : tables()) {
    for (int64_t n : {10, 47, 3000}) {
      Rows all(300, n);
      const std::vector<float> y = run_softmax(table, "Softmax", all);
      Rows one(1, n);
      one.x.assign(all.x.begin() + 299 * n, all.x.end());
      const std::vector<float> last = run_softmax(table, "Softmax", one);
      for (int64_t i = 0; i < n; ++i)
        ASSERT_EQ(last[i], y[299 * n + i]);
    }
  }
}

TEST(SoftmaxKernel, InfinitiesAndLargeLogits) {
  for (const rt::KernelTable& table : tables()) {
    Rows rows(2, 3);
    rows.x = {1e4f, -INFINITY, 1e4f, -INFINITY, -INFINITY, -INFINITY};
    const std::vector<float> y = run_softmax(table, "Softmax", rows);
    EXPECT_EQ(y[0], 0.5f);
    EXPECT_EQ(y[1], 0.0f);
    EXPECT_TRUE(std::isnan(y[3]));
    EXPECT_EQ(run_softmax(table, "LogSoftmax", rows)[1], -INFINITY);
  }
}

struct Entropy {
  std::vector<float> loss, backprop;
};

Entropy run_entropy(const rt::Kernel& kernel, Rows& rows, const rt::View& labels) {
  Entropy result{std::vector<float>(rows.dims[0]), std::vector<float>(rows.x.size())};
  const rt::View in[2] = {rows.view(rows.x.data()), labels};
  const rt::View out[2] = {{result.loss.data(), rows.dims, DType::float32, 1},
                           rows.view(result.backprop.data())};
  EXPECT_TRUE(kernel.run({.kernel = &kernel, .in = in, .out = out}).ok());
  return result;
}

TEST(SoftmaxKernel, CrossEntropyWithLabels) {
  for (const rt::KernelTable& table : tables()) {
    for (const auto& [count, n] : kShapes) {
      if (n == 0) continue;
      Rows rows(count, n);
      std::vector<int64_t> labels(count);
      std::vector<float> one_hot(count * n, 0.0f);
      for (int64_t r = 0; r < count; ++r) {
        labels[r] = r * 7 % n;
        one_hot[r * n + labels[r]] = 1.0f;
      }
      const char* sparse_op = "SparseSoftmaxCrossEntropyWithLogits";
      const Entropy sparse = run_entropy(
          find(table, sparse_op, DType::int64), rows, {labels.data(), rows.dims, DType::int64, 1});
      const Entropy dense =
          run_entropy(find(table, "SoftmaxCrossEntropyWithLogits", DType::float32),
                      rows,
                      rows.view(one_hot.data()));
      const std::vector<double> sums = rows.log_sums();
      for (int64_t r = 0; r < count; ++r) {
        const double expected = sums[r] - rows.x[r * n + labels[r]];
        ASSERT_NEAR(sparse.loss[r], expected, 4e-6 * std::max(1.0, expected));
        ASSERT_NEAR(dense.loss[r], expected, 4e-6 * std::max(1.0, expected));
      }
      for (int64_t i = 0; i < count * n; ++i) {
        const double softmax = std::exp(rows.x[i] - sums[i / n]);
        ASSERT_NEAR(sparse.backprop[i], softmax - one_hot[i], 2e-6);
        ASSERT_EQ(sparse.backprop[i], dense.backprop[i]);
      }
    }
  }
}

TEST(SoftmaxKernel, ALabelOutOfRangeIsAnErrorThatNamesIt) {
  for (const rt::KernelTable& table : tables()) {
    Rows rows(2, 3);
    int32_t labels[2] = {1, 3};
    const rt::View in[2] = {rows.view(rows.x.data()), {labels, rows.dims, DType::int32, 1}};
    float loss[2], backprop[6];
    const rt::View out[2] = {{loss, rows.dims, DType::float32, 1}, rows.view(backprop)};
    const rt::Kernel& kernel = find(table, "SparseSoftmaxCrossEntropyWithLogits", DType::int32);
    rt::ErrorText error;
    EXPECT_FALSE(kernel.run({.kernel = &kernel, .in = in, .out = out, .error = &error}).ok());
    EXPECT_STREQ(error.text, "label out of range: labels[1] = 3, not in [0, 3)");
  }
}

}  // namespace
}  // namespace weir::kernels
