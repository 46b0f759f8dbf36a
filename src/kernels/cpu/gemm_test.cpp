#include "kernels/cpu/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "platform/cpu_features.h"
#include "platform/thread_pool.h"

namespace weir::kernels {
namespace {

#if defined(WEIR_EXACT)
constexpr bool kFuses = false;  // every set gives the bits of plain C
#else
constexpr bool kFuses = true;
#endif
#if defined(__aarch64__)
constexpr bool kBaselineFuses = kFuses;  // the instruction is part of the architecture
#else
constexpr bool kBaselineFuses = false;
#endif

template <typename T>
struct Set {
  const char* name;
  const Gemm<T>& gemm;
  bool fused;
};

template <typename T>
std::vector<Set<T>> sets_of_this_machine();

template <>
std::vector<Set<float>> sets_of_this_machine() {
  std::vector<Set<float>> sets = {{"baseline", baseline::gemm_f32(), kBaselineFuses}};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) sets.push_back({"avx2", avx2::gemm_f32(), kFuses});
  if (platform::detect() >= platform::Isa::avx512) {
    sets.push_back({"avx512", avx512::gemm_f32(), kFuses});
  }
#endif
  return sets;
}

template <>
std::vector<Set<double>> sets_of_this_machine() {
  std::vector<Set<double>> sets = {{"baseline", baseline::gemm_f64(), kBaselineFuses}};
#if defined(__x86_64__)
  if (platform::detect() >= platform::Isa::avx2) sets.push_back({"avx2", avx2::gemm_f64(), kFuses});
  if (platform::detect() >= platform::Isa::avx512) {
    sets.push_back({"avx512", avx512::gemm_f64(), kFuses});
  }
#endif
  return sets;
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};

template <typename T>
std::unique_ptr<T[], Free> aligned(size_t count) {
  return std::unique_ptr<T[], Free>(
      static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 64) / 64 * 64)));
}

template <typename T>
std::vector<T> random_values(int64_t count, std::mt19937& random) {
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> values;
  values.reserve(count + 1);  // an address for the empty ones, too
  values.resize(count);
  for (T& value : values)
    value = uniform(random);
  return values;
}

// The order of additions that the contract promises.
template <typename T>
T chain(const GemmArgs<T>& args, bool fused, int64_t i, int64_t j) {
  T sum = 0;
  for (int64_t k = 0; k < args.k; ++k) {
    const T a = args.trans_a ? args.a[k * args.lda + i] : args.a[i * args.lda + k];
    const T b = args.trans_b ? args.b[j * args.ldb + k] : args.b[k * args.ldb + j];
    sum = fused ? std::fma(a, b, sum) : a * b + sum;
  }
  return sum;
}

template <typename T>
void run(const Gemm<T>& gemm, const GemmArgs<T>& args) {
  const auto workspace = aligned<char>(gemm.workspace_bytes(args));
  const int64_t slices = gemm.slices(args);
  ASSERT_GE(slices, 1);
  for (int64_t i = 0; i < slices; ++i)
    gemm.run_slice(args, i, workspace.get());
}

// Rows of all matrices are longer than needed by `gap`, and what lies between is checked.
template <typename T>
struct Problem {
  GemmArgs<T> args;
  std::vector<T> a, b, c;

  Problem(int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b, int64_t gap) {
    std::mt19937 random(static_cast<uint32_t>(m * 10007 + n * 101 + k));
    args = {.m = m, .n = n, .k = k};
    args.trans_a = trans_a;
    args.trans_b = trans_b;
    args.lda = (trans_a ? m : k) + gap;
    args.ldb = (trans_b ? k : n) + gap;
    args.ldc = n + gap;
    a = random_values<T>(std::max<int64_t>((trans_a ? k : m) * args.lda - gap, 0), random);
    b = random_values<T>(std::max<int64_t>((trans_b ? n : k) * args.ldb - gap, 0), random);
    c.assign(m * args.ldc, T(777));
    args.a = a.data();
    args.b = b.data();
    args.c = c.data();
  }
};

template <typename T>
void expect_chains(const Problem<T>& problem, bool fused, const std::string& what) {
  const GemmArgs<T>& args = problem.args;
  for (int64_t i = 0; i < args.m; ++i) {
    for (int64_t j = 0; j < args.ldc; ++j) {
      const T expected = j < args.n ? chain(args, fused, i, j) : T(777);
      ASSERT_EQ(problem.c[i * args.ldc + j], expected)
          << what << " m=" << args.m << " n=" << args.n << " k=" << args.k
          << " trans_a=" << args.trans_a << " trans_b=" << args.trans_b << " at " << i << "," << j;
    }
  }
}

template <typename T>
void expect_packed_equals_plain(const Set<T>& set, Problem<T>& problem) {
  GemmArgs<T> packed = problem.args;
  const int64_t size = set.gemm.packed_size(packed.n, packed.k);
  const auto space = aligned<T>(size + 1);
  space[size] = T(777);
  set.gemm.pack_b(packed.b, packed.ldb, packed.trans_b, packed.n, packed.k, space.get());
  ASSERT_EQ(space[size], T(777));
  packed.b = nullptr;
  packed.packed_b = space.get();
  std::vector<T> c(problem.c.size(), T(777));
  packed.c = c.data();
  run(set.gemm, packed);
  ASSERT_EQ(c, problem.c) << set.name;
}

template <typename T>
void check(const Set<T>& set, int64_t m, int64_t n, int64_t k) {
  for (int flags = 0; flags < 4; ++flags) {
    Problem<T> problem(m, n, k, (flags & 1) != 0, (flags & 2) != 0, (m + n + k) % 3);
    run(set.gemm, problem.args);
    expect_chains(problem, set.fused, set.name);
    expect_packed_equals_plain(set, problem);
  }
}

template <typename T>
void check_shapes() {
  for (const Set<T>& set : sets_of_this_machine<T>()) {
    for (int64_t m : {0, 1, 2, 3, 4, 5, 6, 7, 13, 15, 29}) {
      for (int64_t n : {0, 1, 3, 7, 8, 9, 16, 17, 24, 33, 70}) {
        for (int64_t k : {0, 1, 2, 5, 8, 31})
          check(set, m, n, k);
      }
    }
  }
}

TEST(Gemm, EveryEdgeIsOneChainFloat) {
  check_shapes<float>();
}

TEST(Gemm, EveryEdgeIsOneChainDouble) {
  check_shapes<double>();
}

TEST(Gemm, BlocksAndSlicesKeepTheChain) {
  for (const Set<float>& set : sets_of_this_machine<float>()) {
    const int64_t shapes[][3] = {{1, 600, 700},
                                 {3, 300, 600},
                                 {100, 10, 300},
                                 {130, 70, 520},
                                 {200, 1, 300},
                                 {97, 150, 257},
                                 {64, 33, 50},
                                 {100, 50, 1700},
                                 {112, 70, 900},
                                 {260, 260, 20}};
    for (const auto& [m, n, k] : shapes)
      check(set, m, n, k);
  }
}

// The rule that makes a sample's result independent of its batch.
TEST(Gemm, ARowDoesNotDependOnTheOthers) {
  for (const Set<float>& set : sets_of_this_machine<float>()) {
    Problem<float> all(37, 50, 300, false, false, 0);
    run(set.gemm, all.args);
    for (int64_t i = 0; i < 37; ++i) {
      GemmArgs<float> one = all.args;
      std::vector<float> row(50);
      one.m = 1;
      one.a += i * one.lda;
      one.c = row.data();
      run(set.gemm, one);
      for (int64_t j = 0; j < 50; ++j)
        ASSERT_EQ(row[j], all.c[i * 50 + j]) << set.name;
    }
  }
}

struct Visits {
  std::vector<int> count;
  int64_t n;
  const float* c;
  bool whole = true;
};

void count_visit(
    void* ctx, void* c, int64_t row0, int64_t rows, int64_t col0, int64_t cols, int64_t ldc) {
  Visits& visits = *static_cast<Visits*>(ctx);
  visits.whole = visits.whole && c == visits.c + row0 * ldc + col0;
  for (int64_t i = row0; i < row0 + rows; ++i) {
    for (int64_t j = col0; j < col0 + cols; ++j) {
      ++visits.count[i * visits.n + j];
      static_cast<float*>(c)[(i - row0) * ldc + j - col0] += 1.0f;
    }
  }
}

TEST(Gemm, TheEpilogueSeesEachFullSumOnce) {
  for (const Set<float>& set : sets_of_this_machine<float>()) {
    const int64_t shapes[][3] = {{1, 300, 600}, {200, 1, 600}, {130, 200, 520}, {5, 7, 0}};
    for (const auto& [m, n, k] : shapes) {
      Problem<float> plain(m, n, k, false, false, 0);
      run(set.gemm, plain.args);
      Problem<float> with(m, n, k, false, false, 0);
      Visits visits{std::vector<int>(m * n, 0), n, with.args.c};
      with.args.epilogue = count_visit;
      with.args.epilogue_ctx = &visits;
      run(set.gemm, with.args);
      EXPECT_TRUE(visits.whole);
      EXPECT_EQ(visits.count, std::vector<int>(m * n, 1)) << set.name;
      for (int64_t i = 0; i < m * n; ++i)
        ASSERT_EQ(with.c[i], plain.c[i] + 1.0f);
    }
  }
}

// Operands of a finish: a row, a number and two matrices, with what compares unequal to itself or
// has a sign at zero.
struct FinishOperands {
  int64_t n;
  std::vector<float> row, matrix, other;
  float one = 0.37f;

  FinishOperands(int64_t m, int64_t columns) : n(columns) {
    std::mt19937 random(7);
    row = random_values<float>(n, random);
    matrix = random_values<float>(m * n, random);
    other = random_values<float>(m * n, random);
    row[n / 2] = NAN;
    matrix[m * n / 3] = NAN;
    matrix[m * n / 2] = -0.0f;
    other[m * n - 1] = NAN;
    other[0] = 0;
  }

  std::vector<GemmFinish<float>> finishes() const {
    const FinishOp<float> add = {FinishCode::add, row.data(), 0, 1};
    const FinishOp<float> relu = {FinishCode::relu};
    const FinishOp<float> scale = {FinishCode::multiply, &one, 0, 0};
    const FinishOp<float> update = {FinishCode::subtract_from, matrix.data(), n, 1};
    const FinishOp<float> less = {FinishCode::subtract, matrix.data(), n, 1};
    const FinishOp<float> gradient = {FinishCode::relu_gradient, other.data(), n, 1};
    return {{1, {add}}, {2, {add, relu}}, {2, {scale, update}}, {4, {less, gradient, relu, add}}};
  }
};

float finished(float x, const GemmFinish<float>& finish, int64_t i, int64_t j) {
  for (int o = 0; o < finish.count; ++o) {
    const FinishOp<float>& op = finish.ops[o];
    const float y = op.y ? op.y[i * op.row_step + j * op.col_step] : 0;
    switch (op.code) {
      case FinishCode::add:
        x = x + y;
        break;
      case FinishCode::subtract:
        x = x - y;
        break;
      case FinishCode::subtract_from:
        x = y - x;
        break;
      case FinishCode::multiply:
        x = x * y;
        break;
      case FinishCode::relu:
        x = x < 0 ? 0 : x;
        break;
      case FinishCode::relu_gradient:
        x = y > 0 ? x : 0;
        break;
    }
  }
  return x;
}

void finish_block(
    void* ctx, void* c, int64_t row0, int64_t rows, int64_t col0, int64_t cols, int64_t ldc) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      float& x = static_cast<float*>(c)[i * ldc + j];
      x = finished(x, *static_cast<GemmFinish<float>*>(ctx), row0 + i, col0 + j);
    }
  }
}

void expect_finished(const Set<float>& set, int64_t m, int64_t n, int64_t k, bool trans_b) {
  Problem<float> plain(m, n, k, false, trans_b, 0);
  if (k > 0) plain.a[0] = NAN;
  Problem<float> with = plain;
  with.args.a = with.a.data();
  with.args.b = with.b.data();
  with.args.c = with.c.data();
  run(set.gemm, plain.args);
  const FinishOperands operands(m, n);
  for (GemmFinish<float>& finish : operands.finishes()) {
    with.args.epilogue = finish_block;
    with.args.epilogue_ctx = &finish;
    with.args.finish = &finish;
    run(set.gemm, with.args);
    for (int64_t i = 0; i < m * n; ++i) {
      const float x = finished(plain.c[i], finish, i / n, i % n);
      ASSERT_TRUE(std::isnan(x) ? std::isnan(with.c[i])
                                : x == with.c[i] && std::signbit(x) == std::signbit(with.c[i]))
          << set.name << " " << m << "x" << n << "x" << k << " at " << i << ": " << with.c[i]
          << ", not " << x;
    }
  }
}

TEST(Gemm, FinishesInRegistersAsTheEpilogueDoes) {
  for (const Set<float>& set : sets_of_this_machine<float>()) {
    const int64_t shapes[][3] = {{1, 300, 600},
                                 {3, 70, 30},
                                 {200, 1, 300},
                                 {5, 7, 0},
                                 {100, 10, 256},
                                 {100, 75, 1000},
                                 {131, 37, 40},
                                 {300, 300, 20}};
    for (const auto& [m, n, k] : shapes) {
      expect_finished(set, m, n, k, false);
      expect_finished(set, m, n, k, true);
    }
  }
}

TEST(Gemm, SlicesOnThreadsGiveTheSameBits) {
  platform::set_threads(3);
  for (const Set<float>& set : sets_of_this_machine<float>()) {
    Problem<float> serial(150, 300, 400, false, true, 0);
    run(set.gemm, serial.args);
    Problem<float> threaded(150, 300, 400, false, true, 0);
    const int64_t slices = set.gemm.slices(threaded.args);
    const size_t bytes = (set.gemm.workspace_bytes(threaded.args) + 63) / 64 * 64;
    const auto workspace = aligned<char>(bytes * slices);
    EXPECT_GT(slices, 1);
    platform::parallel_for(slices, [&](int64_t i) {
      set.gemm.run_slice(threaded.args, i, workspace.get() + bytes * i);
    });
    EXPECT_EQ(serial.c, threaded.c) << set.name;
  }
  platform::set_threads(1);
}

TEST(Gemm, InfinityAndNanStayInTheirRowsAndColumns) {
  for (const Set<float>& set : sets_of_this_machine<float>()) {
    Problem<float> problem(9, 21, 40, false, false, 0);
    problem.a[3 * 40 + 5] = INFINITY;
    problem.b[7 * 21 + 20] = NAN;
    run(set.gemm, problem.args);
    for (int64_t i = 0; i < 9; ++i) {
      for (int64_t j = 0; j < 21; ++j) {
        EXPECT_EQ(std::isfinite(problem.c[i * 21 + j]), i != 3 && j != 20) << i << "," << j;
      }
    }
  }
}

}  // namespace
}  // namespace weir::kernels
