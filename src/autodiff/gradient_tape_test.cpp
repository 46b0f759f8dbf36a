#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <memory>
#include <thread>

#include "dispatch/handler.h"

namespace weir {
namespace {

std::vector<float> floats(const Tensor& t) {
  const auto d = t.data<float>();
  return {d.begin(), d.end()};
}

std::string message(const auto& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Tape, GradientOfAVariable) {
  Variable w(Tensor{2.f, 3.f}, "w");
  GradientTape tape;
  const Tensor y = w * w * 3;
  EXPECT_EQ(floats(tape.gradient(y, w)), (std::vector<float>{12, 18}));
}

TEST(Tape, ConstantsCountOnlyAfterWatch) {
  const Tensor x = 3.f;
  {
    GradientTape tape;
    EXPECT_FALSE(tape.gradient(x * x, x).defined());
  }
  GradientTape tape;
  tape.watch(x);
  EXPECT_EQ(tape.gradient(x * x, x).item<float>(), 6);
}

TEST(Tape, UnwatchedVariablesAndOptions) {
  Variable frozen(2.f, "frozen", false);
  Variable w(2.f, "w");
  {
    GradientTape tape({.watch_accessed_variables = false});
    const Tensor before = w * 5;
    tape.watch(w);
    const Tensor y = w * w;
    EXPECT_EQ(tape.gradient(y, w).item<float>(), 4);
  }
  GradientTape tape({.persistent = true});
  const Tensor y = frozen * w;
  EXPECT_FALSE(tape.gradient(y, frozen).defined());
  EXPECT_EQ(tape.gradient(y, w).item<float>(), 2);
  ASSERT_EQ(tape.watched_variables().size(), 1u);
  EXPECT_EQ(tape.watched_variables()[0].name(), "w");
}

TEST(Tape, ServesOnceUnlessPersistent) {
  const Tensor x = 3.f;
  GradientTape once, many({.persistent = true});
  once.watch(x);
  many.watch(x);
  const Tensor y = x * x;
  once.gradient(y, x);
  EXPECT_PRED2(contains, message([&] { once.gradient(y, x); }), "persistent");
  EXPECT_EQ(many.gradient(y, x).item<float>(), 6);
  EXPECT_EQ(many.gradient(y, x).item<float>(), 6);
}

TEST(Tape, UnconnectedIsNoneOrZeros) {
  const Tensor x{1.f, 2.f}, z{1.f, 2.f, 3.f};
  GradientTape tape({.persistent = true});
  tape.watch(x);
  tape.watch(z);
  const Tensor y = x * 2;
  EXPECT_FALSE(tape.gradient(y, z).defined());
  EXPECT_EQ(floats(tape.gradient(y, z, UnconnectedGradients::zero)), (std::vector<float>{0, 0, 0}));
}

TEST(Tape, TargetThatIsASource) {
  const Tensor x = 3.f;
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x;
  EXPECT_EQ(tape.gradient(x, x).item<float>(), 1);
  EXPECT_EQ(tape.gradient({y, x}, {x})[0].item<float>(), 7);
  EXPECT_EQ(tape.gradient(y, y).item<float>(), 1);
}

TEST(Tape, SeveralTargetsSourcesAndOutputGradients) {
  const Tensor a{1.f, 2.f}, b{3.f, 4.f};
  GradientTape tape({.persistent = true});
  tape.watch(a);
  tape.watch(b);
  const Tensor y = a * b, z = a + b;
  const auto g = tape.gradient({y, z}, {a, b, a});
  EXPECT_EQ(floats(g[0]), (std::vector<float>{4, 5}));
  EXPECT_EQ(floats(g[1]), (std::vector<float>{2, 3}));
  EXPECT_EQ(floats(g[2]), floats(g[0]));
  const auto weighted = tape.gradient({y}, {a}, {Tensor{10.f, 100.f}});
  EXPECT_EQ(floats(weighted[0]), (std::vector<float>{30, 400}));
  EXPECT_PRED2(
      contains, message([&] { tape.gradient({y}, {a}, {Tensor{1.f}}); }), "output gradient");
  EXPECT_PRED2(contains,
               message([&] {
                 tape.gradient({y}, {a}, {y, y});
               }),
               "wrong number of output gradients");
}

TEST(Tape, BroadcastGradientsAreReduced) {
  const Tensor a = Tensor::ones({2, 1, 3}), b = Tensor::full({4, 1}, 2.f), c = 5.f;
  GradientTape tape;
  tape.watch(a);
  tape.watch(b);
  tape.watch(c);
  const auto g = tape.gradient({a * b * c}, {a, b, c});
  EXPECT_EQ(g[0].shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(g[1].shape(), (Shape{4, 1}));
  EXPECT_EQ(g[2].shape(), Shape{});
  EXPECT_EQ(floats(g[0])[0], 40);
  EXPECT_EQ(floats(g[1])[0], 30);
  EXPECT_EQ(g[2].item<float>(), 48);
}

TEST(Tape, BroadcastGradientsOfEmptyTensors) {
  const Tensor a = Tensor::ones({0, 3}), b = Tensor::ones({3});
  GradientTape tape;
  tape.watch(a);
  tape.watch(b);
  const auto g = tape.gradient({a + b}, {a, b});
  EXPECT_EQ(g[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(floats(g[1]), (std::vector<float>{0, 0, 0}));
}

TEST(Tape, NestedTapesGiveHigherDerivatives) {
  const Tensor x = 2.f;
  GradientTape third;
  third.watch(x);
  Tensor d2;
  {
    GradientTape second;
    second.watch(x);
    Tensor d1;
    {
      GradientTape first;
      first.watch(x);
      d1 = first.gradient(x * x * x * x, x);
    }
    EXPECT_EQ(d1.item<float>(), 32);
    d2 = second.gradient(d1, x);
  }
  EXPECT_EQ(d2.item<float>(), 48);
  EXPECT_EQ(third.gradient(d2, x).item<float>(), 48);
}

TEST(Tape, PersistentTapeDifferentiatesItsOwnGradient) {
  const Tensor x = 2.f;
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor d1 = tape.gradient(x * x * x, x);
  EXPECT_EQ(tape.gradient(d1, x).item<float>(), 12);
}

TEST(Tape, PauseStopsRecording) {
  const Tensor x = 2.f;
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor unseen = tape.stop_recording([&] { return x * x; });
  const Tensor y = x * unseen;
  EXPECT_EQ(tape.gradient(y, x).item<float>(), 4);
  EXPECT_THROW(tape.resume(), Error);
  EXPECT_PRED2(contains, tape.explain(unseen, x), "paused");
}

TEST(Tape, MemoryReusedWhilePausedIsAnotherValue) {
  const Tensor x = Tensor::ones({100});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  Tensor y = x + 1;
  const Tensor z = tape.stop_recording([&] { return std::move(y) + 1; });
  EXPECT_FALSE(tape.gradient(z + 1, x).defined());
}

TEST(Tape, ResetForgets) {
  const Tensor x = 2.f;
  GradientTape tape;
  tape.watch(x);
  Tensor y = x * x;
  tape.gradient(y, x);
  tape.reset();
  EXPECT_EQ(tape.explain(y, x).find("the source is not watched"), 0u);
  tape.watch(x);
  y = x * x;
  EXPECT_EQ(tape.gradient(y, x).item<float>(), 4);
}

TEST(Tape, ReadsBeforeAnUpdateUseTheOldValue) {
  Variable v(Tensor::full({100}, 3.f), "v");
  GradientTape tape;
  const Tensor y = v * v;
  v.assign_add(1.f);
  v.assign(v.value() * 2);
  EXPECT_EQ(tape.gradient(y, v).data<float>()[0], 6);
}

TEST(Tape, ASnapshotTakenBeforeIsAConstant) {
  Variable v(Tensor::full({100}, 3.f), "v");
  const Tensor before = v;
  GradientTape tape;
  EXPECT_EQ(tape.gradient(v * before, v).data<float>()[0], 3);
}

TEST(Tape, SumsTheReadsOfAVariable) {
  Variable v(3.f, "v");
  GradientTape tape;
  const Tensor y = v.value() * 2 + v.value() * v.value();
  EXPECT_EQ(tape.gradient(y, v).item<float>(), 8);
}

TEST(Tape, IntegersHaveNoGradient) {
  const Tensor i = 3;
  GradientTape tape;
  tape.watch(i);
  const Tensor y = i * i;
  EXPECT_PRED2(contains, tape.explain(y, i), "only floating and complex");
  EXPECT_FALSE(tape.gradient(y, i).defined());
}

TEST(Tape, KeepsTheDtypeOfTheSource) {
  const Tensor x = Tensor::ones({3}, DType::bfloat16);
  GradientTape tape;
  tape.watch(x);
  EXPECT_EQ(tape.gradient(x * x, x).dtype(), DType::bfloat16);
}

TEST(Tape, LongChainsAreLinearAndDoNotRecurse) {
  const Tensor x = 1.f;
  GradientTape tape;
  tape.watch(x);
  Tensor y = x;
  for (int i = 0; i < 100000; ++i)
    y = y + x;
  EXPECT_EQ(tape.gradient(y, x).item<float>(), 100001);
}

TEST(Tape, SavesOnlyWhatTheRulesRead) {
  const Tensor x = Tensor::ones({1 << 20});
  GradientTape tape;
  tape.watch(x);
  const std::int64_t before = memory_stats().in_use;
  Tensor y = x;
  for (int i = 0; i < 10; ++i)
    y = y + 1.f;
  EXPECT_LT(memory_stats().in_use - before, 2 * (1 << 22));
}

TEST(Tape, ValuesAreReleasedByTheGradient) {
  Tensor x = Tensor::ones({1 << 20});
  const std::int64_t before = memory_stats().in_use;
  GradientTape tape;
  tape.watch(x);
  {
    Tensor y = x;
    for (int i = 0; i < 10; ++i)
      y = y * x;
    y = sum(y);
    EXPECT_GT(memory_stats().in_use - before, 9 * (1 << 22));
    tape.gradient(y * y, y);
  }
  EXPECT_LT(memory_stats().in_use - before, 1 << 22);
}

TEST(Tape, SurvivesAnException) {
  const Tensor x{1.f, 2.f};
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * 3;
  EXPECT_THROW(y + Tensor({1.f, 2.f, 3.f}), Error);
  EXPECT_EQ(floats(tape.gradient(y, x)), (std::vector<float>{3, 3}));
}

TEST(Tape, BelongsToItsThread) {
  const Tensor x = 2.f;
  GradientTape tape;
  tape.watch(x);
  Tensor other;
  std::string error;
  std::thread([&] {
    other = x * x;
    error = message([&] { tape.gradient(other, x); });
  }).join();
  EXPECT_PRED2(contains, error, "another thread");
  EXPECT_FALSE(tape.gradient(other, x).defined());
}

TEST(Tape, DestroyedOnAnotherThreadLeavesItsOwn) {
  const std::size_t before = dispatch::active_recorders().size();
  auto tape = std::make_unique<GradientTape>();
  std::thread([&] { tape.reset(); }).join();
  const Tensor x = Tensor(2.f) * 3;
  EXPECT_EQ(dispatch::active_recorders().size(), before);
  // The other order: the thread of the tape ends first.
  std::thread([&] { tape = std::make_unique<GradientTape>(); }).join();
  tape.reset();
  EXPECT_EQ(x.item<float>(), 6);
}

TEST(Tape, TwoTapesDoNotSeeEachOthersWatches) {
  const Tensor x = 2.f;
  GradientTape a, b;
  a.watch(x);
  const Tensor y = x * x;
  EXPECT_FALSE(b.gradient(y, x).defined());
  EXPECT_EQ(a.gradient(y, x).item<float>(), 4);
}

TEST(Tape, ExplainNamesThePlace) {
  Variable w(Tensor{1.f, 2.f}, "w"), unread(1.f, "unread"), frozen(1.f, "frozen", false);
  GradientTape tape({.persistent = true});
  const Tensor y = w * 2;
  EXPECT_EQ(tape.explain(y, w), "connected");
  EXPECT_PRED2(contains, tape.explain(y, unread), "'unread' was not read");
  EXPECT_PRED2(contains, tape.explain(y, frozen), "'frozen' is not trainable");
  const Tensor z = unread * 1;
  EXPECT_PRED2(contains, tape.explain(y, unread), "comes from Mul (");
  EXPECT_PRED2(contains, tape.explain(y, unread), "gradient_tape_test.cpp");
}

// -- custom gradients --

CustomGradient tripled(const std::vector<Tensor>& in) {
  const Tensor x = in[0];
  return {{x * x},
          [x](const std::vector<Tensor>& dy) { return std::vector<Tensor>{dy[0] * x * 3}; }};
}

TEST(CustomGradientTest, ReplacesTheRule) {
  const Tensor x = 2.f;
  GradientTape outer;
  outer.watch(x);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = custom_gradient({x}, tripled)[0];
  EXPECT_EQ(y.item<float>(), 4);
  const Tensor dx = tape.gradient(y, x);
  EXPECT_EQ(dx.item<float>(), 6);
  EXPECT_EQ(outer.gradient(dx, x).item<float>(), 3);
}

TEST(CustomGradientTest, MayReturnNoneAndExplainSaysSo) {
  const Tensor a = 2.f, b = 3.f;
  GradientTape tape({.persistent = true});
  tape.watch(a);
  tape.watch(b);
  const Tensor y = custom_gradient({a, b}, [](const std::vector<Tensor>& in) {
    return CustomGradient{{in[0] * in[1]}, [](const std::vector<Tensor>& dy) {
                            return std::vector<Tensor>{dy[0], {}};
                          }};
  })[0];
  EXPECT_EQ(tape.gradient(y, a).item<float>(), 1);
  EXPECT_FALSE(tape.gradient(y, b).defined());
  EXPECT_PRED2(contains, tape.explain(y, b), "custom_gradient (");
}

TEST(CustomGradientTest, ErrorsOfTheRule) {
  const Tensor x = 2.f;
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const auto with = [&](auto rule) {
    return custom_gradient({x}, [&](const std::vector<Tensor>& in) {
      return CustomGradient{{in[0] * 1}, rule};
    })[0];
  };
  const Tensor two = with([](const std::vector<Tensor>& dy) {
    return std::vector<Tensor>{dy[0], dy[0]};
  });
  EXPECT_PRED2(contains, message([&] { tape.gradient(two, x); }), "wrong number of gradients");
  const Tensor shape = with([](const std::vector<Tensor>&) {
    return std::vector<Tensor>{Tensor{1.f, 2.f}};
  });
  EXPECT_PRED2(contains, message([&] { tape.gradient(shape, x); }), "does not fit");
}

TEST(CustomGradientTest, SeesVariables) {
  Variable w(5.f, "w");
  const Tensor x = 2.f;
  GradientTape tape;
  tape.watch(x);
  const auto forward = [&](std::vector<Variable> listed) {
    return [&w, listed](const std::vector<Tensor>& in) {
      return CustomGradient{{in[0] * w},
                            [](const std::vector<Tensor>& dy) {
                              return std::vector<Tensor>{dy[0] * 10, dy[0] * 100};
                            },
                            listed};
    };
  };
  EXPECT_PRED2(contains, message([&] { custom_gradient({x}, forward({})); }), "variable 'w'");
  const Tensor y = custom_gradient({x}, forward({w}))[0];
  const auto g = tape.gradient({y}, {x, w});
  EXPECT_EQ(g[0].item<float>(), 10);
  EXPECT_EQ(g[1].item<float>(), 100);
}

}  // namespace
}  // namespace weir
