#include <gtest/gtest.h>
#include <weir/kernel.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/scalar/convert.h"
#include "platform/cpu_features.h"

namespace weir::kernels {

namespace baseline {
rt::KernelTable bfloat16_functions_kernels();
rt::KernelTable bfloat16_kernels();
rt::KernelTable conv_kernels();
rt::KernelTable elementwise_functions_kernels();
rt::KernelTable matmul_kernels();
}  // namespace baseline
namespace avx2 {
rt::KernelTable bfloat16_functions_kernels();
rt::KernelTable bfloat16_kernels();
rt::KernelTable conv_kernels();
rt::KernelTable elementwise_functions_kernels();
rt::KernelTable matmul_kernels();
}  // namespace avx2
namespace avx512 {
rt::KernelTable bfloat16_functions_kernels();
rt::KernelTable bfloat16_kernels();
rt::KernelTable conv_kernels();
rt::KernelTable elementwise_functions_kernels();
rt::KernelTable matmul_kernels();
}  // namespace avx512

namespace {

struct Set {
  rt::KernelTable matmul, conv, half, functions, half_functions;
};

/// Of every instruction set that this machine has.
std::vector<Set> sets() {
  std::vector<Set> list = {{baseline::matmul_kernels(),
                            baseline::conv_kernels(),
                            baseline::bfloat16_kernels(),
                            baseline::elementwise_functions_kernels(),
                            baseline::bfloat16_functions_kernels()}};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2)
    list.push_back({avx2::matmul_kernels(),
                    avx2::conv_kernels(),
                    avx2::bfloat16_kernels(),
                    avx2::elementwise_functions_kernels(),
                    avx2::bfloat16_functions_kernels()});
  if (platform::detect() >= platform::Isa::avx512)
    list.push_back({avx512::matmul_kernels(),
                    avx512::conv_kernels(),
                    avx512::bfloat16_kernels(),
                    avx512::elementwise_functions_kernels(),
                    avx512::bfloat16_functions_kernels()});
#endif
  return list;
}

/// The kernel whose name starts with `name`; null if there is none.
const rt::Kernel* find(const rt::KernelTable& table, const std::string& name) {
  for (std::size_t i = 0; i < table.size; ++i) {
    if (std::string(table.data[i].name).rfind(name, 0) == 0) return &table.data[i];
  }
  return nullptr;
}

/// A matrix of floats that bfloat16 holds, in both dtypes; or of any floats.
struct Matrix {
  std::int64_t dims[2];
  std::vector<float> wide;
  std::vector<std::uint16_t> half;

  Matrix(std::int64_t rows, std::int64_t cols, bool rounded = true) : dims{rows, cols} {
    std::mt19937 random(std::uint32_t(rows * 31 + cols));
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < rows * cols; ++i) {
      const float x = normal(random);
      half.push_back(weir_bf16_from_f32(x));
      wide.push_back(rounded ? weir_f32_from_bf16(half.back()) : x);
    }
  }
  rt::View view(DType t) {
    return {t == DType::float32 ? static_cast<void*>(wide.data()) : half.data(), dims, t, 2};
  }
};

/// Runs a kernel, with operand 1 packed if `packed`.
void run(const rt::Kernel& k, rt::KernelCall c, bool packed) {
  c.kernel = &k;
  const rt::Needs plain = k.need ? k.need(c) : rt::Needs{};
  std::vector<char> form(std::size_t(plain.packed_bytes) + 64);
  if (packed) {
    void* at = form.data();
    std::size_t space = form.size();
    std::align(64, std::size_t(plain.packed_bytes), at, space);
    ASSERT_TRUE(k.pack(c, at).ok());
    c.packed = at;
  }
  const rt::Needs needs = k.need ? k.need(c) : rt::Needs{};
  std::vector<char> memory(std::size_t(needs.workspace) + 64);
  void* at = memory.data();
  std::size_t space = memory.size();
  c.workspace = std::align(64, std::size_t(needs.workspace), at, space);
  ASSERT_TRUE(k.run(c).ok()) << k.name;
}

struct Product {
  Matrix a, b;
  bool trans_a = false, trans_b = false;
  std::int64_t dims[2];

  Product(std::int64_t m, std::int64_t k, std::int64_t n, bool ta, bool tb, bool rounded = true)
      : a(ta ? k : m, ta ? m : k),
        b(tb ? n : k, tb ? k : n, rounded),
        trans_a(ta),
        trans_b(tb),
        dims{m, n} {}

  template <class Out>
  std::vector<Out> run(const rt::Kernel& kernel,
                       DType first,
                       DType second,
                       bool packed,
                       const rt::Epilogue* epilogue = nullptr) {
    const rt::View in[] = {a.view(first), b.view(second)};
    std::vector<Out> y(std::size_t(dims[0] * dims[1]));
    const rt::View out{y.data(), dims, first, 2};
    const rt::Attr attrs[] = {rt::Attr::boolean(trans_a), rt::Attr::boolean(trans_b)};
    rt::KernelCall c;
    c.in = in;
    c.out = &out;
    c.attrs = attrs;
    c.n_in = 2;
    c.n_out = 1;
    c.n_attrs = 2;
    c.epilogue = epilogue;
    kernels::run(kernel, c, packed);
    return y;
  }

  /// The float32 result, rounded once.
  std::vector<std::uint16_t> expected(const rt::Kernel& wide) {
    std::vector<std::uint16_t> y;
    for (float v : run<float>(wide, DType::float32, DType::float32, false))
      y.push_back(weir_bf16_from_f32(v));
    return y;
  }
};

TEST(Bfloat16, EveryContractionOfFloat32HasOne) {
  for (const Set& s : sets()) {
    for (const rt::KernelTable& table : {s.matmul, s.conv}) {
      for (std::size_t i = 0; i < table.size; ++i) {
        const std::string op = table.data[i].op;
        if (table.data[i].types[0] != DType::float32) continue;
        const rt::Kernel* half = find(s.half, op + "/bfloat16/");
        ASSERT_NE(half, nullptr) << op;
        EXPECT_EQ(half->types[0], DType::bfloat16);
        EXPECT_EQ(half->isa, table.data[i].isa);
        EXPECT_EQ(half->epilogue, table.data[i].epilogue);
      }
    }
  }
}

TEST(Bfloat16, AProductIsTheFloat32OneRoundedOnce) {
  for (const Set& s : sets()) {
    const rt::Kernel& wide = *find(s.matmul, "MatMul/float32/");
    const rt::Kernel* half = find(s.half, "MatMul/bfloat16/");
    ASSERT_EQ(half->types[1], DType::bfloat16);
    for (int t = 0; t < 4; ++t) {
      for (auto [m, k, n] : {std::array<std::int64_t, 3>{1, 37, 65},
                             {100, 130, 33},
                             {7, 1, 1},
                             {67, 64, 200},
                             {3, 0, 5}}) {
        Product p(m, k, n, t & 1, t & 2);
        const auto expected = p.expected(wide);
        for (bool packed : {false, true})
          EXPECT_EQ(p.run<std::uint16_t>(*half, DType::bfloat16, DType::bfloat16, packed), expected)
              << half->name << " " << m << "x" << k << "x" << n << " " << t << packed;
      }
    }
  }
}

TEST(Bfloat16, ASecondOperandInFloat32IsRoundedFirst) {
  for (const Set& s : sets()) {
    const rt::Kernel* half = find(s.half, "MatMul/bfloat16/");
    const rt::Kernel* mixed = find(s.half, "MatMul/bfloat16/float32/");
    ASSERT_NE(mixed, nullptr);
    ASSERT_EQ(mixed->types[1], DType::float32);
    Product p(30, 50, 70, false, true, false);
    const auto expected = p.run<std::uint16_t>(*half, DType::bfloat16, DType::bfloat16, false);
    for (bool packed : {false, true})
      EXPECT_EQ(p.run<std::uint16_t>(*mixed, DType::bfloat16, DType::float32, packed), expected);
  }
}

TEST(Bfloat16, AnEpilogueGetsRoundedBlocks) {
  for (const Set& s : sets()) {
    const rt::Kernel* half = find(s.half, "MatMul/bfloat16/");
    Product p(45, 300, 130, false, false);
    auto expected = p.run<std::uint16_t>(*half, DType::bfloat16, DType::bfloat16, false);
    for (std::uint16_t& v : expected)
      v ^= 0x8000u;
    const rt::Epilogue negate{[](void*,
                                 void* c,
                                 std::int64_t,
                                 std::int64_t rows,
                                 std::int64_t,
                                 std::int64_t cols,
                                 std::int64_t ldc) {
                                for (std::int64_t r = 0; r < rows; ++r) {
                                  for (std::int64_t j = 0; j < cols; ++j)
                                    static_cast<std::uint16_t*>(c)[r * ldc + j] ^= 0x8000u;
                                }
                              },
                              nullptr};
    EXPECT_EQ(p.run<std::uint16_t>(*half, DType::bfloat16, DType::bfloat16, false, &negate),
              expected);
  }
}

TEST(Bfloat16, FunctionsAreThoseOfFloat32OnAllValues) {
  std::vector<std::uint16_t> x(65536), y(65536), expected(65536);
  std::vector<float> wide(65536), result(65536);
  for (std::size_t i = 0; i < x.size(); ++i)
    wide[i] = weir_f32_from_bf16(x[i] = std::uint16_t(i));
  for (const Set& s : sets()) {
    for (const char* op : {"Tanh", "Exp", "Softplus", "Sigmoid"}) {
      const rt::Kernel* a = find(s.functions, std::string(op) + "/float32/");
      const rt::Kernel* b = find(s.half_functions, std::string(op) + "/bfloat16/");
      ASSERT_NE(b, nullptr) << op;
      const void *from = wide.data(), *half_from = x.data();
      const std::uint8_t one = 1, zero = 0;
      a->tile(result.data(), &from, &one, 65536, nullptr);
      b->tile(y.data(), &half_from, &one, 65536, nullptr);
      for (std::size_t i = 0; i < x.size(); ++i)
        expected[i] = weir_bf16_from_f32(result[i]);
      EXPECT_EQ(y, expected) << b->name;
      half_from = &x[0x3f80];  // 1
      b->tile(y.data(), &half_from, &zero, 1000, nullptr);
      EXPECT_EQ(std::vector<std::uint16_t>(y.begin(), y.begin() + 1000),
                std::vector<std::uint16_t>(1000, expected[0x3f80]));
    }
  }
}

}  // namespace
}  // namespace weir::kernels
