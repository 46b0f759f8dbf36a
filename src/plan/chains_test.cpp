/// Branches that run side by side: which do, that the bits and the errors are those of one after
/// the other, and that they share no memory.
#include <algorithm>

#include "plan/graphs_for_test.h"
#include "platform/thread_pool.h"

namespace weir::plan {
namespace {

using Values = std::vector<Tensor>;

/// `count` branches of `depth` products and tanhs each, from a common stem to their sum.
std::shared_ptr<graph::Graph> branches(int count, int depth, std::int64_t size) {
  return trace({{{size, size}, DType::float32, "x"}}, [=](const Values& x) {
    const Tensor stem = tanh(matmul(x[0], numbers({size, size}, 99)));
    Tensor total;
    Values ends;
    for (int b = 0; b < count; ++b) {
      Tensor y = stem;
      for (int d = 0; d < depth; ++d)
        y = tanh(matmul(y, numbers({size, size}, 10 * b + d)) * 0.1f);
      ends.push_back(y);
    }
    total = ends[0];
    for (int b = 1; b < count; ++b)
      total = total + ends[std::size_t(b)];
    return Values{total};
  });
}

std::vector<int> chains(const Executable& e) {
  std::vector<int> list;
  for (const StepInfo& s : e.steps())
    list.push_back(s.chain);
  return list;
}

/// With so many threads, for the time of a scope.
struct Threads {
  explicit Threads(int n) : before(platform::threads()) { platform::set_threads(n); }
  ~Threads() { platform::set_threads(before); }
  int before;
};

TEST(Chains, BranchesAfterAStemRunSideBySide) {
  const auto g = branches(3, 2, 64);
  const Values in{numbers({64, 64})};
  const auto e = planned(g, in);
  const std::vector<int> c = chains(*e);
  EXPECT_EQ(*std::max_element(c.begin(), c.end()), 3) << e->describe();
  EXPECT_EQ(c.front(), 0) << "the stem runs alone";
  EXPECT_EQ(c.back(), 0) << "the sum runs alone";
  EXPECT_EQ(std::count(c.begin(), c.end(), 1), std::count(c.begin(), c.end(), 3)) << e->describe();
  for (int threads : {1, 2, 4}) {
    const Threads scope(threads);
    for (int i = 0; i < 20; ++i)
      expect_same(e->run(in), graph::replay(*g, in));
  }
  EXPECT_NE(e->describe().find("chain 3"), std::string::npos);
}

TEST(Chains, AStraightLineAndLargeOrTinyStepsRunAlone) {
  for (const auto& [count, depth, size] :
       {std::array<int, 3>{1, 6, 64}, std::array<int, 3>{3, 2, 4}, std::array<int, 3>{2, 1, 512}}) {
    const auto e = planned(branches(count, depth, size), {numbers({size, size})});
    const std::vector<int> c = chains(*e);
    EXPECT_TRUE(std::all_of(c.begin(), c.end(), [](int n) { return n == 0; })) << e->describe();
  }
}

TEST(Chains, CanBeSwitchedOff) {
  const auto g = branches(3, 2, 64);
  const Values in{numbers({64, 64})};
  const auto e = planned(g, in, {.side_by_side = false});
  const std::vector<int> c = chains(*e);
  EXPECT_EQ(*std::max_element(c.begin(), c.end()), 0);
  const auto beside = planned(g, in);
  expect_same(e->run(in), beside->run(in));
  EXPECT_LE(e->peak_bytes(), beside->peak_bytes());
}

TEST(Chains, AnOperandThatAnotherChainReadsIsNotOverwritten) {
  const auto g = trace({{{200, 100}, DType::float32, "x"}}, [](const Values& x) {
    const Tensor stem = exp(x[0]);
    const Tensor a = cumsum(stem * 1.5f), b = cumsum(tanh(stem));
    return Values{sum(a, 0) + sum(b, 0)};
  });
  const Values in{numbers({200, 100})};
  const auto e = planned(g, in);
  const std::vector<int> c = chains(*e);
  EXPECT_EQ(*std::max_element(c.begin(), c.end()), 2) << e->describe();
  for (int i = 0; i < 50; ++i)
    expect_same(e->run(in), graph::replay(*g, in));
}

TEST(Chains, AStepThatWritesAVariableRunsAlone) {
  Variable v(numbers({64, 64}), "v"), w(numbers({64, 64}), "w");
  const auto g = trace({{{64, 64}, DType::float32, "x"}}, [&](const Values& x) {
    v.assign_sub(matmul(x[0], numbers({64, 64}, 1)));
    w.assign_sub(matmul(x[0], numbers({64, 64}, 2)));
    return Values{};
  });
  const Values in{numbers({64, 64})};
  const auto e = planned(g, in);
  for (const StepInfo& s : e->steps())
    EXPECT_TRUE(s.chain == 0 || s.op == "MatMul") << e->describe();
}

TEST(Chains, TheFirstFailureInProgramOrderIsReported) {
  const auto g =
      trace({{{60, 60}, DType::float32, "x"}, {{60}, DType::int32, "i"}, {{60}, DType::int32, "j"}},
            [](const Values& x) {
              const auto branch = [&](const Tensor& rows, int seed) {
                const Tensor y = matmul(x[0], numbers({60, 60}, seed));
                return matmul(gather(matmul(y, y), rows), y);
              };
              const Tensor first = branch(x[1], 1);
              return Values{first + branch(x[2], 2)};
            });
  const auto indices = [](int bad) {
    return Tensor::from(std::vector<std::int32_t>(60, bad), Shape{60});
  };
  const auto e = planned(g, {numbers({60, 60}), indices(0), indices(0)});
  const std::vector<int> c = chains(*e);
  ASSERT_EQ(*std::max_element(c.begin(), c.end()), 2) << e->describe();
  const auto error = [&](int first, int second) {
    try {
      e->run(Values{numbers({60, 60}), indices(first), indices(second)});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(error(0, 59), "");
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(error(1000, 2000).find("1000"), std::string::npos) << error(1000, 2000);
    EXPECT_NE(error(3, 2000).find("2000"), std::string::npos) << error(3, 2000);
  }
  EXPECT_EQ(error(0, 59), "");
}

}  // namespace
}  // namespace weir::plan
