#include <gtest/gtest.h>
#include <weir/ops.h>
#include <weir/random.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace weir {
namespace {

const Tensor kSeed{std::int64_t(1), std::int64_t(2)};
const Tensor kOther{std::int64_t(-5), std::int64_t(1) << 40};

template <class T>
std::vector<T> values(const Tensor& t) {
  const auto d = t.data<T>();
  return {d.begin(), d.end()};
}

/// Every expected number here was printed by TensorFlow 2.21 for the same seed.
TEST(Stateless, UniformEqualsTensorFlow) {
  EXPECT_EQ(values<float>(stateless_uniform({6}, kSeed)),
            (std::vector<float>{0.8440604209899902f,
                                0.19204533100128174f,
                                0.9962232112884521f,
                                0.16038739681243896f,
                                0.27199018001556396f,
                                0.6493459939956665f}));
  EXPECT_EQ(values<double>(stateless_uniform({3}, kOther, DType::float64)),
            (std::vector<double>{0.5217126152711182, 0.1533239755242266, 0.6906659727685966}));
  const Tensor half = stateless_uniform({2}, kSeed, DType::float16);
  EXPECT_EQ(half.data<float16>()[0].bits, 0x3858);  // 0.54296875
  const Tensor brain = stateless_uniform({2}, kSeed, DType::bfloat16);
  EXPECT_EQ(brain.data<bfloat16>()[0].bits, 0x3eb0);  // 0.34375
}

TEST(Stateless, UniformIntEqualsTensorFlow) {
  EXPECT_EQ(values<std::int32_t>(stateless_uniform_int({6}, kSeed, -3, 1000)),
            (std::vector<std::int32_t>{97, 284, 647, 168, 310, 224}));
  EXPECT_EQ(values<std::int64_t>(stateless_uniform_int(
                {3}, kOther, Tensor(std::int64_t(-3)), Tensor(std::int64_t(1) << 40))),
            (std::vector<std::int64_t>{376212095212, 750453037231, 781067551976}));
}

void expect_ulps(const Tensor& t, const std::vector<float>& expected) {
  const auto d = t.data<float>();
  ASSERT_EQ(d.size(), expected.size());
  for (std::size_t i = 0; i < d.size(); ++i)
    EXPECT_NEAR(d[i], expected[i], 2.4e-7f * std::abs(expected[i])) << i;
}

TEST(Stateless, NormalEqualsTensorFlow) {
  expect_ulps(stateless_normal({6}, kSeed),
              {0.544110119342804f,
               0.20738030970096588f,
               0.0735643208026886f,
               0.04643455147743225f,
               -1.301589846611023f,
               -0.9538565278053284f});
  expect_ulps(stateless_truncated_normal({6}, kOther),
              {-0.13439448177814484f,
               -0.3243972659111023f,
               -1.2159100770950317f,
               -0.8451807498931885f,
               -1.2896565198898315f,
               0.9594706296920776f});
  const auto d = values<double>(stateless_truncated_normal({3}, kSeed, DType::float64));
  EXPECT_NEAR(d[0], -0.1423118100189212, 1e-15);
  EXPECT_NEAR(d[1], 0.7406072461585091, 1e-15);
  EXPECT_NEAR(d[2], -0.552387756244845, 1e-15);
}

TEST(Stateless, SeedsOfBothDtypesAgree) {
  EXPECT_EQ(values<float>(stateless_uniform({9}, Tensor{-1, 2})),
            values<float>(stateless_uniform({9}, Tensor{std::int64_t(-1), std::int64_t(2)})));
}

TEST(Stateless, MomentsAndBounds) {
  const Tensor n = stateless_normal({1000000}, kSeed);
  double sum = 0, squares = 0;
  for (float v : n.data<float>())
    sum += v, squares += double(v) * v;
  EXPECT_NEAR(sum / 1e6, 0, 0.005);
  EXPECT_NEAR(squares / 1e6, 1, 0.01);
  const Tensor truncated = stateless_truncated_normal({100000}, kSeed);
  for (float v : truncated.data<float>())
    ASSERT_LT(std::abs(v), 2.f);
  const Tensor u = stateless_uniform({1000000}, kSeed);
  for (float v : u.data<float>())
    ASSERT_TRUE(v >= 0 && v < 1);
}

TEST(Stateless, BadOperandsAreErrors) {
  EXPECT_THROW(stateless_uniform({2}, Tensor{1, 2, 3}), Error);
  EXPECT_THROW(stateless_uniform({-2}, kSeed), Error);
  EXPECT_THROW(stateless_uniform({2}, kSeed, DType::int32), Error);
  EXPECT_THROW(stateless_uniform_int({2}, kSeed, 5, 5), Error);
  EXPECT_THROW(stateless_uniform_int({2}, kSeed, 5, 4), Error);
  EXPECT_EQ(stateless_uniform({0, 3}, kSeed).size(), 0);
}

TEST(Generator, SameSeedSameStream) {
  const auto a = Generator::from_seed(7), b = Generator::from_seed(7);
  const auto first = values<float>(a.uniform({5}));
  EXPECT_EQ(first, values<float>(b.uniform({5})));
  const auto second = values<float>(a.uniform({5}));
  EXPECT_NE(first, second);
  EXPECT_EQ(second, values<float>(b.uniform({5})));
  a.reset(7);
  EXPECT_EQ(first, values<float>(a.uniform({5})));
  EXPECT_NE(values<float>(Generator::from_entropy().uniform({5})),
            values<float>(Generator::from_entropy().uniform({5})));
}

TEST(Generator, StateIsSeedAndIndex) {
  const auto g = Generator::from_seed(9);
  g.normal({3});
  g.normal({3});
  EXPECT_EQ(values<std::int64_t>(g.state().value()), (std::vector<std::int64_t>{9, 2}));
  const auto here = values<float>(g.uniform({2}));
  EXPECT_EQ(here, values<float>(stateless_uniform({2}, Tensor{std::int64_t(9), std::int64_t(2)})));
}

TEST(Generator, ThreadsNeverShareAnIndex) {
  const auto g = Generator::from_seed(1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i)
        g.next();
    });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(g.state().value().data<std::int64_t>()[1], 400);
}

TEST(Stateless, PermutationsArePermutations) {
  for (std::int64_t n : {0, 1, 2, 100}) {
    auto p = values<std::int64_t>(stateless_permutation(n, kSeed));
    std::sort(p.begin(), p.end());
    for (std::int64_t i = 0; i < n; ++i)
      EXPECT_EQ(p[std::size_t(i)], i);
  }
  EXPECT_NE(values<std::int64_t>(stateless_permutation(20, kSeed)),
            values<std::int64_t>(stateless_permutation(20, kOther)));
  EXPECT_THROW(stateless_permutation(-1, kSeed), Error);
}

TEST(Stateless, CategoricalEqualsTensorFlow) {
  const Tensor logits{{0.f, 1.f, 2.f, -INFINITY}};
  EXPECT_EQ(values<std::int64_t>(stateless_categorical(logits, 12, kSeed)),
            (std::vector<std::int64_t>{2, 2, 1, 2, 2, 2, 2, 1, 2, 2, 2, 2}));
  EXPECT_THROW(stateless_categorical(Tensor{{NAN, -INFINITY}}, 1, kSeed), Error);
  EXPECT_THROW(stateless_categorical(Tensor::zeros({2, 0}), 1, kSeed), Error);
  EXPECT_THROW(stateless_categorical(logits, -1, kSeed), Error);
}

TEST(Generator, ShufflesRows) {
  const auto g = Generator::from_seed(5);
  auto rows = values<float>(g.shuffle(Tensor{{1.f, 2.f}, {3.f, 4.f}, {5.f, 6.f}}));
  EXPECT_EQ(rows[1], rows[0] + 1);
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_THROW(g.shuffle(Tensor(1.f)), Error);
}

TEST(Generator, BoundsAndMoments) {
  random::set_seed(3);
  const Tensor reals = random::uniform({10000}, -2, 3);
  for (float v : reals.data<float>())
    ASSERT_TRUE(v >= -2 && v < 3);
  const Tensor integers = random::uniform_int({10000}, -2, 3);
  for (int v : integers.data<int>())
    ASSERT_TRUE(v >= -2 && v < 3);
  double sum = 0;
  const Tensor normal = random::normal({10000}, 5, 0.5, DType::float64);
  for (double v : normal.data<double>())
    sum += v;
  EXPECT_NEAR(sum / 10000, 5, 0.02);
  EXPECT_THROW(random::uniform({2}, 0, 1, DType::int32), Error);
  EXPECT_THROW(Generator().uniform({2}), Error);
}

}  // namespace
}  // namespace weir
