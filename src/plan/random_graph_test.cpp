/// Graphs made at random: planned = replayed, bit for bit, for any number of threads, with every
/// option, and from two threads at once.
#include <algorithm>
#include <random>
#include <thread>

#include "plan/graphs_for_test.h"
#include "platform/thread_pool.h"

namespace weir::plan {
namespace {

constexpr std::int64_t kRows = 40, kCols = 300;

/// Appends random calls on values of shapes that broadcast to [kRows, kCols].
class Maker {
 public:
  Maker(unsigned seed, std::vector<Variable> variables)
      : random_(seed), variables_(std::move(variables)) {}

  std::vector<Tensor> operator()(const std::vector<Tensor>& inputs) {
    values_ = inputs;
    const int steps = 5 + below(25);
    for (int i = 0; i < steps; ++i)
      add();
    std::vector<Tensor> results;
    for (int i = 0; i < 1 + below(4); ++i)
      results.push_back(pick());
    results.push_back(values_.back());
    return results;
  }

 private:
  int below(int n) { return int(random_() % unsigned(n)); }
  Tensor pick() {
    const int n = int(values_.size());
    return values_[std::size_t(below(2) ? n - 1 - below(std::min(n, 4)) : below(n))];
  }

  void add() {
    switch (below(12)) {
      case 0:
        return values_.push_back(tanh(pick()));
      case 1:
        return values_.push_back(pick() * 0.75f);
      case 2:
        return values_.push_back(sum(full(pick()), below(2), true) * 0.01f);
      case 3:
        return values_.push_back(product());
      case 4:
        return values_.push_back(reshaped(pick()));
      case 5:
        return values_.push_back(variable());
      case 6:
        return update();
      case 7:
      case 8:
        return fused();
      default:
        return values_.push_back(below(2) ? pick() + pick() : pick() - pick() * pick());
    }
  }

  /// A scaled product with a constant or a variable, in the shape of a full value.
  Tensor product() {
    const Tensor x = full(pick());
    return matmul(x, numbers({kCols, kCols}, below(3)) * 0.05f, false, below(2));
  }
  static Tensor full(const Tensor& t) { return t + Tensor::zeros({kRows, kCols}); }
  Tensor reshaped(const Tensor& t) {
    return reshape(reshape(full(t), {kCols, kRows}) * 1.5f, {kRows, kCols});
  }
  Tensor variable() { return variables_[std::size_t(below(int(variables_.size())))]; }
  void update() {
    const Variable& v = variables_[std::size_t(below(int(variables_.size())))];
    const Tensor t = full(pick());
    switch (below(3)) {
      case 0:
        values_.push_back(v.assign_sub(t * 0.125f));
        break;
      case 1:
        values_.push_back(v.assign(t));
        break;
      default:
        v.assign_add(tanh(t));
    }
  }
  void fused() {
    const bool contraction = below(2) == 0;
    const std::vector<Tensor> in{
        full(pick()), contraction ? numbers({kCols, kCols}, 4) : pick(), pick()};
    const bool two = below(2);
    for (Tensor& t : region(in, [&](const std::vector<Tensor>& x) {
           const Tensor p = contraction ? matmul(x[0], x[1]) : x[0] * x[1];
           const Tensor q = tanh(p + x[2]);
           return two ? std::vector<Tensor>{q * p, p} : std::vector<Tensor>{q * p};
         }))
      values_.push_back(t * 0.1f);
  }

  std::mt19937 random_;
  std::vector<Variable> variables_;
  std::vector<Tensor> values_;
};

std::vector<Tensor> inputs() {
  return {numbers({kRows, kCols}), numbers({kCols}, 2), numbers({kRows, 1}, 3), numbers({}, 4)};
}

struct Case {
  explicit Case(unsigned seed) {
    for (int i = 0; i < 2; ++i)
      variables.emplace_back(start(i), "v" + std::to_string(i));
    graph = trace({{{kRows, kCols}, DType::float32, "a"},
                   {{kCols}, DType::float32, "b"},
                   {{kRows, 1}, DType::float32, "c"},
                   {Shape{}, DType::float32, "d"}},
                  Maker(seed, variables));
  }
  static Tensor start(int i) { return numbers({kRows, kCols}, 20 + i); }
  void reset() const {
    for (int i = 0; i < 2; ++i)
      variables[std::size_t(i)].assign(start(i) * 1.f);
  }
  /// Results of two runs, then the variables.
  template <class Run>
  std::vector<Tensor> outcome(Run run) const {
    reset();
    std::vector<Tensor> all = run();
    for (Tensor& t : run())
      all.push_back(t);
    for (const Variable& v : variables)
      all.push_back(v.value());
    return all;
  }
  std::vector<Variable> variables;
  std::shared_ptr<graph::Graph> graph;
};

class Threads {
 public:
  explicit Threads(int n) : before_(platform::threads()) { platform::set_threads(n); }
  ~Threads() { platform::set_threads(before_); }

 private:
  int before_;
};

TEST(RandomGraphs, PlannedIsReplayed) {
  const auto in = inputs();
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const Case c(seed);
    const auto expected = c.outcome([&] { return graph::replay(*c.graph, in); });
    for (int off = 0; off < 5; ++off) {
      PlanOptions options;
      options.pack = off != 1;
      options.in_place = off != 2;
      options.regions = off != 3;
      options.side_by_side = off != 4;
      const auto e = planned(c.graph, in, options);
      EXPECT_TRUE(e->is_static());
      const Threads threads(1 + off % 2);
      expect_same(c.outcome([&] { return e->run(in); }), expected);
      if (::testing::Test::HasFailure()) FAIL() << print(*c.graph) << e->describe();
    }
  }
}

TEST(RandomGraphs, RunFromTwoThreadsAtOnce) {
  const auto in = inputs();
  for (unsigned seed = 100; seed < 106; ++seed) {
    const Case c(seed);
    const auto pure =
        trace({{{kRows, kCols}, DType::float32, "a"}}, [&](const std::vector<Tensor>& x) {
          return std::vector<Tensor>{tanh(matmul(x[0], numbers({kCols, 20}, 3)) + 1.f)};
        });
    const std::vector<Tensor> one{in[0]};
    const auto e = planned(c.graph, in), f = planned(pure, one);
    const auto expected = graph::replay(*pure, one);
    const auto work = [&] {
      for (int i = 0; i < 20; ++i) {
        e->run(in);
        if (!same(f->run(one)[0], expected[0])) ADD_FAILURE();
        (void)c.variables[0].value();
        c.variables[1].assign_add(1.f);
      }
    };
    const std::jthread other(work);
    work();
  }
}

}  // namespace
}  // namespace weir::plan
