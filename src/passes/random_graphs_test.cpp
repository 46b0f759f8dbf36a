/// The optimiser on random graphs: the same bits, the same effects, nothing left to do.

#include <random>

#include "passes/graphs_for_test.h"

namespace weir::passes {
namespace {

/// Grows a graph of element-wise ops, contractions, reductions, views, constants, variables and
/// prints over 4 x 4 matrices; other shapes come and go.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed), v_(Tensor::full({4, 4}, 0.5f), "v") {}

  GraphPtr make(int ops) {
    const TensorSpec x{{4, 4}, DType::float32, "x"}, y{{4}, DType::float32, "y"},
        z{{-1, 4}, DType::float32, "z"};
    return trace({x, y, z}, [&](auto& in) {
      pool_ = {in[0], in[1], in[2]};
      for (int i = 0; i < ops; ++i)
        grow();
      std::vector<Tensor> results;
      for (int i = 0; i < 3; ++i)
        results.push_back(pick());
      return results;
    });
  }
  const Variable& variable() const { return v_; }
  static std::vector<Tensor> inputs() {
    return {
        Tensor::full({4, 4}, 0.75f), Tensor{0.f, -0.f, 1.f, -2.f}, Tensor::full({4, 4}, -1.25f)};
  }

 private:
  Tensor pick() { return pool_[random_() % pool_.size()]; }
  void push(const Tensor& t) {
    if (t.rank() <= 2) pool_.push_back(t);
  }
  Tensor constant() {
    const float values[] = {0.f, -0.f, 1.f, 0.5f, 2.f};
    const float v = values[random_() % 5];
    return graph::current_builder()->constant(random_() % 2 ? Tensor(v) : Tensor{v, v, v, v});
  }

  void grow() {
    const Tensor a = pick(), b = random_() % 4 ? pick() : constant();
    try {
      switch (random_() % 12) {
        case 0:
        case 1:
          return push(a + b);
        case 2:
        case 3:
          return push(a * b);
        case 4:
          return push(a - b);
        case 5:
          return push(test_call("TestRelu", a));
        case 6:
          return push(test_call("TestNeg", a));
        case 7:
          return push(matmul(a, b, random_() % 2, random_() % 2));
        case 8:
          return push(sum(a, 0, random_() % 2));
        case 9:
          return push(reshape(reshape(a, {-1}), {-1, 4}));
        case 10:
          return effect(a);
        default:
          return push(test_call("TestRelu", v_.value() * a));
      }
    } catch (const Error&) {
      // Shapes that do not fit.
    }
  }
  void effect(const Tensor& a) {
    if (random_() % 2) {
      test_call("TestPrint", a);
    } else if (a.shape() == Shape{4, 4}) {
      v_.assign(a);
    }
  }

  std::mt19937 random_;
  Variable v_;
  std::vector<Tensor> pool_;
};

struct Outcome {
  std::vector<Tensor> results;
  Tensor variable;
  Printed printed;
};

Outcome run(const Graph& g, const Variable& v) {
  v.assign(Tensor::full({4, 4}, 0.5f));
  printed() = {};
  Outcome o;
  o.results = graph::replay(g, RandomGraph::inputs());
  o.variable = v.value();
  o.printed = printed();
  return o;
}

TEST(RandomGraphs, OptimisedGraphsGiveTheSameBitsAndEffects) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    RandomGraph random(seed);
    const auto g = random.make(int(5 + seed % 60));
    Report report;
    const auto o = optimise(*g, {}, &report);
    for (const PassReport& p : report.passes)
      ASSERT_EQ(p.error, "") << p.name << "\n" << print(*g);
    verify(*o);
    Outcome a, b;
    try {
      a = run(*only(*g, {"prune"}), random.variable());
    } catch (const Error&) {
      EXPECT_THROW(run(*o, random.variable()), Error) << seed;
      continue;
    }
    b = run(*o, random.variable());
    ASSERT_EQ(a.results.size(), b.results.size());
    for (std::size_t i = 0; i < a.results.size(); ++i)
      ASSERT_TRUE(same_bits(a.results[i], b.results[i])) << seed << print(*g) << print(*o);
    ASSERT_TRUE(same_bits(a.variable, b.variable)) << seed;
    ASSERT_EQ(a.printed.count, b.printed.count) << seed;
    ASSERT_LE(report.after.nodes, report.before.nodes) << seed;
    ASSERT_LE(report.after.constants, report.before.constants + 65536) << seed;
  }
}

TEST(RandomGraphs, OptimisingTwiceChangesNothing) {  // F32
  for (unsigned seed = 0; seed < 200; ++seed) {
    const auto once = optimise(*RandomGraph(seed).make(60));
    ASSERT_EQ(print(*optimise(*once)), print(*once)) << seed;
  }
}

TEST(RandomGraphs, TheResultDependsOnTheGraphAlone) {
  for (unsigned seed = 0; seed < 50; ++seed)
    ASSERT_EQ(print(*optimise(*RandomGraph(seed).make(60))),
              print(*optimise(*RandomGraph(seed).make(60))));
}

TEST(RandomGraphs, EachPassAloneKeepsTheBits) {
  for (const std::string& pass : pass_names()) {
    for (unsigned seed = 0; seed < 40; ++seed) {
      RandomGraph random(seed);
      const auto g = random.make(40);
      const auto o = only(*g, {pass});
      Outcome a, b;
      try {
        a = run(*g, random.variable());
      } catch (const Error&) {
        continue;
      }
      b = run(*o, random.variable());
      for (std::size_t i = 0; i < a.results.size(); ++i)
        ASSERT_TRUE(same_bits(a.results[i], b.results[i])) << pass << seed;
    }
  }
}

}  // namespace
}  // namespace weir::passes
