#include <gtest/gtest.h>
#include <weir/control_flow.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/random.h>

#include <functional>

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

struct Counted {
  Tensor y;
  int steps;
};

std::string message_of(auto&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Cond, KeepsWhatIsNoTensor) {
  const auto f = [](Tensor x) {
    return cond(
        x > 0.f,
        [&] {
          return Counted{x, 7};
        },
        [&] {
          return Counted{x * 2.f, 7};
        });
  };
  EXPECT_EQ(f(Tensor(1.f)).steps, 7);
  auto g = function(f);
  EXPECT_EQ(g(Tensor(1.f)).steps, 7);
  EXPECT_EQ(g(Tensor(-1.f)).steps, 7);
  auto differs = function([](Tensor x) {
    return cond(
               x > 0.f,
               [&] {
                 return Counted{x, 1};
               },
               [&] {
                 return Counted{x, 2};
               })
        .y;
  });
  EXPECT_NE(message_of([&] { differs(Tensor(1.f)); }).find("i32 1"), std::string::npos);
}

TEST(While, KeepsWhatIsNoTensor) {
  const auto f = [](Tensor x) {
    return while_loop([](const Counted& s) { return s.y < 10.f; },
                      [](const Counted& s) {
                        return Counted{s.y * float(s.steps), s.steps};
                      },
                      Counted{x, 2});
  };
  EXPECT_EQ(f(Tensor(1.f)).steps, 2);
  EXPECT_EQ(number(function(f)(Tensor(1.f)).y), 16);
  EXPECT_EQ(function(f)(Tensor(1.f)).steps, 2);
  const auto counts = [](Tensor x) {
    return while_loop([](const Counted& s) { return s.y < 10.f; },
                      [](const Counted& s) {
                        return Counted{s.y * 2.f, s.steps + 1};
                      },
                      Counted{x, 0});
  };
  EXPECT_NE(message_of([&] { counts(Tensor(1.f)); }).find("that is no tensor"), std::string::npos);
  EXPECT_NE(message_of([&] { function(counts)(Tensor(1.f)); }).find("that is no tensor"),
            std::string::npos);
}

TEST(Cond, AReadBehindACallThatWritesSeesTheNewValue) {
  Variable v(Tensor(1.f), "v");
  auto step = function([&] { v.assign_add(1.f); });
  const auto f = [&](Tensor x) {
    v.assign(1.f);
    return cond(
        x > 0.f,
        [&] {
          const Tensor before = v.value();
          step();
          return before * 10.f + v.value();
        },
        [&] {
          for_range(
              0,
              3,
              [&](Tensor, Tensor s) {
                v.assign_add(1.f);
                return s;
              },
              x);
          return v.value();
        });
  };
  both(f, {1, -1}, {12, 4});
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

/// dy/dx and dy/dv of a body with effects: the loop as it is unrolled by the eager mode.
template <class F>
void gradients_agree(F f, const Variable& v) {
  const auto gradients = [&](Tensor x) {
    v.assign(3.f);
    random::set_seed(7);
    GradientTape tape;
    tape.watch(x);
    const Tensor y = f(x);
    const auto g = tape.gradient(
        std::vector<Tensor>{y}, std::vector<GradientSource>{x, v}, {}, UnconnectedGradients::zero);
    return std::tuple(y, g[0], g[1]);
  };
  const auto [y, dx, dv] = gradients(Tensor(2.f));
  const auto [gy, gdx, gdv] = function(gradients)(Tensor(2.f));
  EXPECT_FLOAT_EQ(number(gy), number(y));
  EXPECT_FLOAT_EQ(number(gdx), number(dx));
  EXPECT_FLOAT_EQ(number(gdv), number(dv));
}

template <class Body>
auto three_times(Body body) {
  return [body](Tensor x) {
    return for_range(
        0, 3, [&](Tensor, Tensor y) { return body(y); }, x);
  };
}

TEST(While, GradientOfABodyThatDrawsRandomNumbers) {
  Variable v(Tensor(1.f), "v");
  gradients_agree(three_times([](Tensor y) { return y * random::uniform({}); }), v);
  gradients_agree(
      three_times([](Tensor y) { return y * random::uniform({}) + random::uniform({}) * y * y; }),
      v);
}

TEST(While, GradientOfABodyThatReadsWhatItWrites) {
  Variable v(Tensor(1.f), "v");
  gradients_agree(three_times([v](Tensor y) {
                    const Tensor s = v.value();
                    v.assign(s + 1.f);
                    return y * s;
                  }),
                  v);
  // What is only counted takes no part in the gradient.
  gradients_agree(three_times([v](Tensor y) {
                    v.assign_add(1.f);
                    v.assign_add(y);
                    return y * y;
                  }),
                  v);
}

TEST(While, GradientOfABranchThatDrawsInsideALoop) {
  Variable v(Tensor(1.f), "v");
  gradients_agree(three_times([](Tensor y) {
                    return cond(
                        y > 0.5f, [&] { return y * random::uniform({}); }, [&] { return y * 2.f; });
                  }),
                  v);
}

TEST(While, GradientThroughACallThatReadsAVariable) {
  Variable v(Tensor(1.f), "v");
  auto scale = function([v](Tensor y) { return y * v; });
  gradients_agree(three_times([scale](Tensor y) { return scale(y); }), v);
  gradients_agree(
      [scale](Tensor x) {
        return cond(
            x > 0.f, [&] { return scale(x); }, [&] { return x * 1.f; });
      },
      v);
}

TEST(While, AGradientThatWouldBeWrongIsAnError) {
  Variable v(Tensor(1.f), "v");
  const auto gradient_of = [](auto f) {
    return function([f](Tensor x) {
      GradientTape tape;
      tape.watch(x);
      return tape.gradient(f(x), x);
    });
  };
  auto written = gradient_of(three_times([v](Tensor y) {
    v.assign(y);
    return y * v;
  }));
  EXPECT_NE(message_of([&] { written(Tensor(2.f)); }).find("read after it was written"),
            std::string::npos);
  auto grows = gradient_of([](Tensor x) {
    return sum(while_loop([](const Tensor& y) { return sum(y) < 10.f; },
                          [](const Tensor& y) {
                            return concat({y, y}, 0);
                          },
                          x,
                          {.shape_invariants = {{-1}}}));
  });
  EXPECT_NE(message_of([&] { grows(Tensor{1.f}); }).find("shape of the state changes"),
            std::string::npos);
  auto keeps = gradient_of([](Tensor x) {
    return sum(while_loop([](const Tensor& y) { return sum(y) < 10.f; },
                          [](const Tensor& y) { return y * 2.f; },
                          x,
                          {.shape_invariants = {{-1}}}));
  });
  EXPECT_EQ(keeps(Tensor{1.f, 2.f}).data<float>()[1], 4);
}

TEST(CustomGradient, OfAnUnusedResultOfAnySize) {
  auto f = function(
      [](Tensor x) {
        GradientTape tape;
        tape.watch(x);
        const auto r = custom_gradient({x}, [&](const std::vector<Tensor>& in) {
          return CustomGradient{{in[0] * 2, in[0] * 3}, [](const std::vector<Tensor>& dy) {
                                  return std::vector<Tensor>{dy[0] * 2 + dy[1] * 3};
                                }};
        });
        return tape.gradient(r[0], x);
      },
      {.input_signature = {{{-1}, DType::float32}}});
  EXPECT_EQ(f(Tensor{1.f, 2.f}).data<float>()[1], 2);
}

TEST(While, AConditionMayDraw) {
  const auto f = [](Tensor x) {
    random::set_seed(3);
    return while_loop([](const Tensor&) { return random::uniform({}) < 0.9f; },
                      [](const Tensor& y) { return y + 1.f; },
                      x);
  };
  const float eager = number(f(Tensor(0.f)));
  EXPECT_GT(eager, 0);
  EXPECT_EQ(number(function(f)(Tensor(0.f))), eager);
}

TEST(Cond, AnUndefinedResultIsAnError) {
  const auto f = [](Tensor x) {
    return cond(
        x > 0.f, [&] { return Tensor(); }, [&] { return x; });
  };
  EXPECT_NE(message_of([&] { f(Tensor(1.f)); }).find("undefined"), std::string::npos);
  EXPECT_NE(message_of([&] { function(f)(Tensor(1.f)); }).find("undefined"), std::string::npos);
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
