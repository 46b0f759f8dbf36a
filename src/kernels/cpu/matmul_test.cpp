#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "platform/cpu_features.h"
#include "platform/thread_pool.h"

namespace weir::kernels {

namespace baseline {
rt::KernelTable matmul_kernels();
}
namespace avx2 {
rt::KernelTable matmul_kernels();
}
namespace avx512 {
rt::KernelTable matmul_kernels();
}

namespace {

struct Free {
  void operator()(void* p) const { std::free(p); }
};

// One product through the kernel ABI: [batch..., rows, columns] operands of random values.
struct Call {
  std::vector<int64_t> dims[3];  // a, b, y
  std::vector<float> data[3];
  bool flags[2];

  Call(std::vector<int64_t> a, std::vector<int64_t> b, std::vector<int64_t> y, bool ta, bool tb)
      : dims{std::move(a), std::move(b), std::move(y)}, flags{ta, tb} {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (int i = 0; i < 3; ++i) {
      int64_t size = 1;
      for (int64_t dim : dims[i])
        size *= dim;
      data[i].resize(size);
      for (float& value : data[i])
        value = uniform(random);
    }
  }

  rt::View view(int i) {
    return {data[i].data(), dims[i].data(), DType::float32, static_cast<uint8_t>(dims[i].size())};
  }

  std::vector<float> run(const rt::Kernel& kernel, bool packed, const rt::RunContext* context) {
    const rt::View in[2] = {view(0), view(1)};
    const rt::View out[1] = {view(2)};
    const rt::Attr attrs[2] = {rt::Attr::boolean(flags[0]), rt::Attr::boolean(flags[1])};
    rt::KernelCall call{.kernel = &kernel, .in = in, .out = out, .attrs = attrs};
    call.context = context;
    rt::Needs needs = kernel.need(call);
    const std::unique_ptr<char, Free> space(
        static_cast<char*>(std::aligned_alloc(64, (needs.packed_bytes + 64) / 64 * 64)));
    if (packed) {
      EXPECT_EQ(needs.packed_operand, 1);
      EXPECT_TRUE(kernel.pack(call, space.get()).ok());
      call.packed = space.get();
      needs = kernel.need(call);
    }
    const std::unique_ptr<char, Free> workspace(
        static_cast<char*>(std::aligned_alloc(64, (needs.workspace + 64) / 64 * 64)));
    call.workspace = workspace.get();
    EXPECT_TRUE(kernel.run(call).ok());
    return data[2];
  }

  // Offset of the matrix of operand i for matrix `index` of the output.
  int64_t offset(int i, int64_t index) const {
    const size_t rank = dims[i].size();
    int64_t step = dims[i][rank - 1] * dims[i][rank - 2];
    int64_t offset = 0;
    for (size_t back = 3; back <= dims[2].size(); ++back) {
      const int64_t extent = dims[2][dims[2].size() - back];
      const int64_t at = index % extent;
      index /= extent;
      if (back > rank) continue;
      const int64_t own = dims[i][rank - back];
      offset += own == 1 ? 0 : at * step;
      step *= own;
    }
    return offset;
  }

  double expected(int64_t index) const {
    const int64_t n = dims[2].back(), m = dims[2][dims[2].size() - 2];
    const int64_t matrix = index / (m * n), i = index / n % m, j = index % n;
    const int64_t a_cols = dims[0].back(), b_cols = dims[1].back();
    const int64_t k_size = flags[0] ? dims[0][dims[0].size() - 2] : a_cols;
    const float* a = data[0].data() + offset(0, matrix);
    const float* b = data[1].data() + offset(1, matrix);
    double sum = 0;
    for (int64_t k = 0; k < k_size; ++k) {
      sum += static_cast<double>(flags[0] ? a[k * a_cols + i] : a[i * a_cols + k]) *
             static_cast<double>(flags[1] ? b[j * b_cols + k] : b[k * b_cols + j]);
    }
    return sum;
  }
};

std::vector<rt::KernelTable> tables() {
  std::vector<rt::KernelTable> tables = {baseline::matmul_kernels()};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) tables.push_back(avx2::matmul_kernels());
  if (platform::detect() >= platform::Isa::avx512) tables.push_back(avx512::matmul_kernels());
#endif
  return tables;
}

const rt::Kernel& find(const rt::KernelTable& table, const std::string& op) {
  for (size_t i = 0; i < table.size; ++i) {
    if (table.data[i].op == op && table.data[i].types[0] == DType::float32) return table.data[i];
  }
  std::abort();
}

void check(const rt::KernelTable& table, Call call, const char* op, bool packed) {
  const std::vector<float> got = call.run(find(table, op), packed, nullptr);
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], call.expected(static_cast<int64_t>(i)), 2e-5) << op << " element " << i;
  }
}

TEST(MatMul, Matrices) {
  for (const rt::KernelTable& table : tables()) {
    for (bool packed : {false, true}) {
      check(table, Call({20, 33}, {33, 10}, {20, 10}, false, false), "MatMul", packed);
      check(table, Call({33, 20}, {10, 33}, {20, 10}, true, true), "MatMul", packed);
      check(table, Call({1, 300}, {300, 70}, {1, 70}, false, false), "MatMul", packed);
      check(table, Call({200, 150}, {150, 130}, {200, 130}, false, false), "MatMul", packed);
    }
  }
}

TEST(MatMul, BatchesBroadcast) {
  for (const rt::KernelTable& table : tables()) {
    const char* op = "BatchMatMulV2";
    check(table, Call({5, 7, 9}, {5, 9, 11}, {5, 7, 11}, false, false), op, false);
    check(table, Call({2, 1, 7, 9}, {3, 9, 11}, {2, 3, 7, 11}, false, false), op, false);
    check(table, Call({3, 9, 7}, {2, 3, 11, 9}, {2, 3, 7, 11}, true, true), op, false);
    check(table, Call({7, 9}, {4, 9, 11}, {4, 7, 11}, false, false), op, false);
    check(table, Call({40, 60, 70}, {40, 70, 50}, {40, 60, 50}, false, false), op, false);
  }
}

TEST(MatMul, OneMatrixServesAllBatches) {
  for (const rt::KernelTable& table : tables()) {
    for (bool packed : {false, true}) {
      check(table, Call({5, 7, 9}, {9, 11}, {5, 7, 11}, false, false), "BatchMatMulV2", packed);
      check(table, Call({5, 9, 7}, {1, 11, 9}, {5, 7, 11}, true, true), "BatchMatMulV2", packed);
    }
  }
}

TEST(MatMul, ThreadsAndPackingKeepTheBits) {
  const rt::RunContext context{
      .parallel_for = [](void*, int64_t slices, void (*fn)(void*, int64_t), void* arg) {
        platform::parallel_for(slices, fn, arg);
      }};
  platform::set_threads(3);
  for (const rt::KernelTable& table : tables()) {
    Call call({6, 100, 80}, {80, 120}, {6, 100, 120}, false, false);
    const rt::Kernel& kernel = find(table, "BatchMatMulV2");
    const std::vector<float> serial = call.run(kernel, false, nullptr);
    EXPECT_EQ(serial, call.run(kernel, false, &context));
    EXPECT_EQ(serial, call.run(kernel, true, &context));
  }
  platform::set_threads(1);
}

}  // namespace
}  // namespace weir::kernels
