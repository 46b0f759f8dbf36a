/// Branches and loops inside plans: what eager code gives, bit for bit.
#include <gtest/gtest.h>
#include <weir/control_flow.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "graph/builder.h"
#include "graph/replay.h"
#include "plan/executable.h"

namespace weir {
namespace {

::testing::AssertionResult same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape())
    return ::testing::AssertionFailure() << a.describe() << " and " << b.describe();
  if (std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "the bits of two " << a.describe() << " differ";
}

/// Runs f eagerly and, three times, as a graph.
template <class F>
void expect_both(F f, const Tensor& x) {
  auto g = function(f);
  const Tensor expected = f(x);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(same(g(x), expected)) << "call " << i;
}

const Tensor kX{0.3f, -1.7f, 2.1f, 0.01f};

const auto nested = [](Tensor x) {
  return for_range(
      0,
      7,
      [&](Tensor i, Tensor y) {
        const Tensor inner = for_range(
            0, i, [&](Tensor, Tensor z) { return z * 0.9f + x; }, y);
        return cond(
            sum(inner) > 1.f, [&] { return inner - y; }, [&] { return inner * 1.5f; });
      },
      x);
};

TEST(PlannedLoop, NestedLoopsAndBranches) {
  expect_both(nested, kX);
}

TEST(PlannedLoop, StateThatSwapsStaysOrIsConstant) {
  const auto f = [](Tensor x) {
    const auto [a, b, c, i] = while_loop([](const auto& s) { return std::get<3>(s) < 9; },
                                         [&](const auto& s) {
                                           const auto& [p, q, kept, k] = s;
                                           return std::tuple(q, p + q, kept, k + 1);
                                         },
                                         std::tuple(x, x * 0.5f, x - 3.f, Tensor(0)));
    return a + b * c + cast(i, DType::float32);
  };
  expect_both(f, kX);
  const auto g = [](Tensor x) {
    const auto [a, b, i] = while_loop([](const auto& s) { return std::get<2>(s) < 4; },
                                      [&](const auto& s) {
                                        const Tensor twice = std::get<0>(s) * 2.f;
                                        return std::tuple(twice, twice, std::get<2>(s) + 1);
                                      },
                                      std::tuple(x, x, Tensor(0)));
    return a - b * 3.f;
  };
  expect_both(g, kX);
}

TEST(PlannedLoop, ResultsOfOneCallOutliveTheNext) {
  auto g = function(nested);
  const Tensor first = g(kX);
  const Tensor copy = first + 0.f;
  g(kX * 2.f);
  EXPECT_TRUE(same(first, copy));
}

TEST(PlannedLoop, BodiesAreProgramsAndKnowTheirShapes) {
  const auto f = [](Tensor x) {
    const Tensor y = for_range(
        0, 3, [&](Tensor, Tensor s) { return s * x + 1.f; }, x);
    return y + x;
  };
  auto g = function(f, {.input_signature = {{{-1, 2}, DType::float32, "x"}}});
  const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2});
  EXPECT_TRUE(same(g(x), f(x)));
  const std::string text =
      function(f).get_concrete_function(TensorSpec{{3, 2}, DType::float32}).plan_text();
  EXPECT_NE(text.find("control flow"), std::string::npos) << text;
  EXPECT_EQ(text.find("host"), std::string::npos) << text;
}

const auto growing = [](Tensor x) {
  return while_loop([](const Tensor& y) { return sum(y) < 40.f; },
                    [](const Tensor& y) {
                      return concat({y, y * 1.25f}, 0);
                    },
                    x,
                    {.shape_invariants = {{-1}}});
};

TEST(PlannedLoop, AShapeThatChangesInEachIteration) {
  expect_both(growing, Tensor{0.5f, 0.25f});
  auto g = function(growing);
  for (int n = 1; n < 20; ++n) {
    const Tensor x = Tensor::full({n}, 0.125f);
    EXPECT_TRUE(same(g(x), growing(x)));
  }
}

TEST(PlannedLoop, VariablesOfTheBody) {
  Variable v(Tensor{1.f, 2.f, 3.f, 4.f}, "v");
  const auto f = [&](Tensor x) {
    for_range(
        0,
        5,
        [&](Tensor, Tensor s) {
          v.assign(v * 0.75f + x);
          return s + v;
        },
        x);
    return v.value();
  };
  const Tensor start = v;
  const Tensor expected = f(kX);
  v.assign(start);
  auto g = function(f);
  EXPECT_TRUE(same(g(kX), expected));
  EXPECT_TRUE(same(v.value(), expected));
  const Tensor again = f(kX);
  v.assign(expected);
  EXPECT_TRUE(same(g(kX), again));
}

template <class F>
std::shared_ptr<graph::Graph> traced(F f, const TensorSpec& input) {
  const auto b = graph::Builder::create("traced");
  const Tensor x = b->input(input);
  Tensor y;
  {
    dispatch::HandlerScope scope(*b);
    y = f(x);
  }
  return b->finish({&y, 1});
}

TEST(PlannedLoop, Gradients) {
  const auto f = [](Tensor x) {
    GradientTape tape;
    tape.watch(x);
    return tape.gradient(nested(x), x);
  };
  auto g = function(f);
  const Tensor graph = g(kX);
  EXPECT_TRUE(same(g(kX), graph));
  EXPECT_TRUE(same(graph, graph::replay(*traced(f, {{4}, DType::float32, "x"}), {{kX}})[0]));
  // Eager loops are differentiated op by op, loops of graphs iteration by iteration: the sums that
  // reach x differ in order.
  const Tensor eager = f(kX);
  for (int i = 0; i < 4; ++i)
    EXPECT_FLOAT_EQ(eager.data<float>()[i], graph.data<float>()[i]);
}

TEST(PlannedLoop, AnErrorOfTheBodyNamesItsOp) {
  const auto f = [](Tensor i) {
    return while_loop([](const Tensor& k) { return k < 100; },
                      [](const Tensor& k) {
                        return gather(Tensor{1, 2, 50}, k);
                      },
                      i);
  };
  const auto message = [](auto run) {
    try {
      run();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  auto g = function(f);
  const std::string eager = message([&] { f(Tensor(0)); });
  EXPECT_NE(eager, "no error");
  EXPECT_EQ(message([&] { g(Tensor(0)); }), eager);
  EXPECT_EQ(message([&] { g(Tensor(0)); }), eager);
}

TEST(PlannedLoop, TwoThreads) {
  auto g = function(nested);
  const Tensor y = kX * 3.f;
  const Tensor a = nested(kX), b = nested(y);
  const auto check = [&](const Tensor& x, const Tensor& expected) {
    for (int i = 0; i < 200; ++i)
      ASSERT_TRUE(same(g(x), expected));
  };
  const std::jthread other([&] { check(y, b); });
  check(kX, a);
}

TEST(PlannedLoop, StopsWhenCancelled) {
  const auto forever = [](Tensor x) {
    return while_loop(
        [](const Tensor& s) { return s >= 0.f; }, [](const Tensor& s) { return s * 0.5f; }, x);
  };
  const std::vector<Tensor> in{Tensor(1.f)};
  const Spec spec{DType::float32, {}};
  const auto g = traced(forever, {{}, DType::float32, "x"});
  const auto e = plan::plan(plan::specialise(*g, {&spec, 1}));
  std::atomic<bool> cancel{false};
  const std::jthread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    cancel = true;
  });
  try {
    e->run(in, {.cancel = &cancel});
    FAIL() << "the loop ended";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::cancelled);
  }
}

}  // namespace
}  // namespace weir
