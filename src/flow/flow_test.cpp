#include <gtest/gtest.h>
#include <weir/control_flow.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

namespace weir {
namespace {

float number(const Tensor& t) {
  return t.item<float>();
}

/// Both modes must agree: runs f eagerly, then as a traced function.
template <class F>
void both(F f, std::vector<float> arguments, std::vector<float> expected) {
  auto g = function(f);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    EXPECT_FLOAT_EQ(number(f(Tensor(arguments[i]))), expected[i]) << "eager, x = " << arguments[i];
    EXPECT_FLOAT_EQ(number(g(Tensor(arguments[i]))), expected[i]) << "graph, x = " << arguments[i];
  }
}

/// d f(x) / dx
template <class F>
auto derivative(F f) {
  return [f](Tensor x) {
    GradientTape tape;
    tape.watch(x);
    return tape.gradient(f(x), x);
  };
}

const auto piecewise = [](Tensor x) {
  return cond(
      x > 0.f, [&] { return x * x; }, [&] { return x * -3.f; });
};

const auto cube = [](Tensor x) {
  return for_range(
      0, 3, [&](Tensor, Tensor y) { return y * x; }, Tensor(1.f));
};

/// Doubles until 100 is passed: the number of iterations depends on x.
const auto doubled = [](Tensor x) {
  return while_loop(
      [](const Tensor& y) { return y < 100.f; }, [](const Tensor& y) { return y * 2.f; }, x);
};

TEST(Cond, TakesOneBranchInBothModes) {
  both(piecewise, {3, -2}, {9, 6});
}

TEST(Cond, GradientFollowsTheBranchTaken) {
  both(derivative(piecewise), {3, -2}, {6, -3});
}

TEST(Cond, SecondDerivative) {
  both(derivative(derivative(piecewise)), {3}, {2});
}

TEST(Cond, BranchesMustMatch) {
  auto f = function([](Tensor x) {
    return cond(
        sum(x) > 0.f, [&] { return x; }, [&] { return cast(x, DType::int32); });
  });
  EXPECT_THROW(f(Tensor{1.f}), Error);
  EXPECT_THROW(cond(
                   Tensor(1.f), [] { return Tensor(1.f); }, [] { return Tensor(2.f); }),
               Error);
}

TEST(Cond, VariablesOfTheBranchGetGradients) {
  Variable w(Tensor(5.f), "w");
  const auto f = [&](Tensor x) {
    GradientTape tape;
    const Tensor y = cond(
        x > 0.f, [&] { return x * w; }, [&] { return x * 1.f; });
    return tape.gradient(y, w, UnconnectedGradients::zero);
  };
  both(f, {3}, {3});
  // The branch not taken contributes zero in a graph, where both exist.
  EXPECT_EQ(number(function(f)(Tensor(-3.f))), 0);
}

TEST(Cond, WritesOfTheBranchTakenHappen) {
  Variable count(Tensor(0.f), "count");
  auto f = function([&](Tensor x) {
    return cond(
        x > 0.f, [&] { return count.assign_add(1.f); }, [&] { return count.value(); });
  });
  EXPECT_EQ(number(f(Tensor(1.f))), 1);
  EXPECT_EQ(number(f(Tensor(-1.f))), 1);
  EXPECT_EQ(number(f(Tensor(1.f))), 2);
  EXPECT_EQ(number(count.value()), 2);
}

TEST(SwitchCase, OutOfRangeTakesTheLastBranch) {
  const auto f = [](Tensor x) {
    std::vector<std::function<Tensor()>> branches{
        [&] { return x * 1.f; }, [&] { return x * 2.f; }, [&] { return x * 3.f; }};
    return switch_case(cast(x, DType::int32), branches);
  };
  both(f, {0, 1, 2, 7, -1}, {0, 2, 6, 21, -3});
}

TEST(While, RunsInBothModes) {
  both(cube, {2, -1}, {8, -1});
  both(doubled, {3, 100, 60}, {192, 100, 120});
}

TEST(While, GradientOfAKnownNumberOfIterations) {
  both(derivative(cube), {2}, {12});
}

TEST(While, GradientOfANumberOfIterationsThatDependsOnData) {
  both(derivative(doubled), {3, 100, 60}, {64, 1, 2});
}

TEST(While, SecondDerivative) {
  both(derivative(derivative(cube)), {2}, {12});
}

TEST(While, InsideCondInsideWhile) {
  const auto f = [](Tensor x) {
    return for_range(
        0,
        4,
        [&](Tensor i, Tensor y) {
          return cond((i % std::int64_t(2)) == std::int64_t(0),
                      [&] { return y * x; },
                      [&] { return y + x; });
        },
        Tensor(1.f));
  };
  both(f, {2}, {(1 * 2 + 2) * 2 + 2});
  both(derivative(f), {2}, {4 * 2 + 1});  // f = 2 x^2 + x
}

TEST(While, VariablesWrittenByTheBodyAreReadAnewInEachIteration) {
  Variable v(Tensor(1.f), "v");
  auto f = function([&](Tensor n) {
    for_range(
        0,
        cast(n, DType::int64),
        [&](Tensor, Tensor s) {
          v.assign(v * 2.f);
          return s;
        },
        Tensor(0.f));
    return v.value();
  });
  EXPECT_EQ(number(f(Tensor(3.f))), 8);
  EXPECT_EQ(number(f(Tensor(1.f))), 16);
}

TEST(While, MaximumIterationsStops) {
  const auto f = [](Tensor x) {
    return while_loop([](const Tensor&) { return Tensor(true); },
                      [](const Tensor& y) { return y + 1.f; },
                      x,
                      {.maximum_iterations = 5});
  };
  both(f, {1}, {6});
}

TEST(While, AShapeThatChangesIsAnErrorThatNamesTheOption) {
  auto f = function([](Tensor x) {
    return while_loop([](const Tensor& y) { return sum(y) < 10.f; },
                      [](const Tensor& y) {
                        return concat({y, y}, 0);
                      },
                      x);
  });
  try {
    f(Tensor{1.f});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.info().fix.find("shape_invariants"), std::string::npos);
  }
  auto g = function([](Tensor x) {
    return while_loop([](const Tensor& y) { return sum(y) < 10.f; },
                      [](const Tensor& y) {
                        return concat({y, y}, 0);
                      },
                      x,
                      {.shape_invariants = {{-1}}});
  });
  EXPECT_EQ(g(Tensor{1.f}).size(), 16);
}

}  // namespace
}  // namespace weir
