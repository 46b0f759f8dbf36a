/// Tapes around calls of traced functions: the gradients of eager code, bit for bit.
#include <gtest/gtest.h>
#include <weir/control_flow.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/random.h>

#include <cstring>
#include <thread>

namespace weir {
namespace {

::testing::AssertionResult same(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined())
    return a.defined() == b.defined()
               ? ::testing::AssertionSuccess()
               : ::testing::AssertionFailure() << a.describe() << " and " << b.describe();
  if (a.dtype() != b.dtype() || a.shape() != b.shape())
    return ::testing::AssertionFailure() << a.describe() << " and " << b.describe();
  if (std::memcmp(a.raw_data(), b.raw_data(), std::size_t(a.nbytes())) == 0)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "the bits of two " << a.describe() << " differ";
}

void expect_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(same(a[i], b[i])) << "gradient " << i;
}

const Tensor kX = Tensor::from(std::vector<float>{0.3f, -1.7f, 2.1f, 0.01f, 0.5f, -0.25f}, {2, 3});

struct Layer {
  Variable w{Tensor::from(std::vector<float>{0.1f, -0.2f, 0.7f, 1.3f, -0.6f, 0.9f}, {3, 2}), "w"};
  Variable b{Tensor{0.05f, -0.4f}, "b"};

  Tensor operator()(const Tensor& x) const { return tanh(matmul(x, w) + b); }
  /// Gradients of a loss of `f`, which is the layer or its trace.
  template <class F>
  std::vector<Tensor> gradients(const F& f, const Tensor& x) const {
    GradientTape tape;
    tape.watch(x);
    const Tensor loss = mean(square(f(x)));
    return tape.gradient({loss}, {x, w, b});
  }
};

TEST(TapedFunction, GradientsOfArgumentsAndVariables) {
  const Layer layer;
  auto f = function([&](Tensor x) { return layer(x); });
  const auto eager = layer.gradients(layer, kX);
  for (int i = 0; i < 3; ++i)
    expect_same(layer.gradients(f, kX), eager);
  EXPECT_EQ(f.stats().traces, 1u);
  layer.w.assign_sub(eager[1] * 0.5f);
  expect_same(layer.gradients(f, kX), layer.gradients(layer, kX));
}

TEST(TapedFunction, TheResultIsTheOneOfACallWithoutTape) {
  const Layer layer;
  auto f = function([&](Tensor x) { return layer(x); });
  GradientTape tape;
  EXPECT_TRUE(same(f(kX), layer(kX)));
}

TEST(TapedFunction, OnlySomeSourcesAndResultsTakePart) {
  const auto f = [](const Tensor& x, const Tensor& y) {
    const Tensor z = x * y + exp(x);
    return std::tuple(sum(z * z), sqrt(y + 2.f), cast(z, DType::int32));
  };
  auto g = function(f);
  const auto gradients = [&](const auto& h, bool second) {
    const Tensor y = kX * 0.5f;
    GradientTape tape;
    tape.watch(kX);
    if (second) tape.watch(y);
    const auto [loss, root, whole] = h(kX, y);
    return second ? tape.gradient({loss, root}, {kX, y}) : tape.gradient({loss}, {kX, y});
  };
  for (bool second : {false, true, false}) {
    const auto eager = gradients(f, second);
    EXPECT_EQ(eager[1].defined(), second);
    expect_same(gradients(g, second), eager);
  }
}

TEST(TapedFunction, NoneAndItsReason) {
  auto g = function([](const Tensor& x, const Tensor& y) { return x * 2.f + floor(y) * 0.f; },
                    {.name = "step"});
  GradientTape tape({.persistent = true});
  const Tensor y = kX * 0.5f;
  tape.watch(kX);
  tape.watch(y);
  auto integers =
      function([](const Tensor& x) { return cast(x, DType::int32); }, {.name = "integers"});
  const Tensor z = g(kX, y), i = integers(kX);
  EXPECT_TRUE(tape.gradient(z, kX).defined());
  EXPECT_FALSE(tape.gradient(i, kX).defined());
  EXPECT_NE(tape.explain(i, kX).find("integers"), std::string::npos) << tape.explain(i, kX);
  EXPECT_EQ(tape.explain(z, kX), "connected");
  EXPECT_FALSE(tape.gradient(kX * 3.f, y).defined());
}

TEST(TapedFunction, TheSameTensorTwiceAndAnArgumentReturned) {
  const auto f = [](const Tensor& x, const Tensor& y) { return std::tuple(x * y * y, x); };
  auto g = function(f);
  const auto gradient = [&](const auto& h) {
    GradientTape tape;
    tape.watch(kX);
    const auto [a, b] = h(kX, kX);
    return tape.gradient({a, b}, {kX})[0];
  };
  // The gradients of both arguments are sums of their own before they are added.
  const Tensor graph = gradient(g), eager = gradient(f);
  for (int i = 0; i < 6; ++i)
    EXPECT_FLOAT_EQ(graph.data<float>()[i], eager.data<float>()[i]);
}

const auto cubic = [](const Tensor& x) { return x * x * x + sin(x); };

TEST(TapedFunction, SecondAndThirdDerivatives) {
  auto g = function(cubic);
  const auto third = [](const auto& h) {
    GradientTape outer;
    outer.watch(kX);
    Tensor second;
    {
      GradientTape middle;
      middle.watch(kX);
      Tensor first;
      {
        GradientTape inner;
        inner.watch(kX);
        first = inner.gradient(h(kX), kX);
      }
      second = middle.gradient(first, kX);
    }
    return std::vector<Tensor>{second, outer.gradient(second, kX)};
  };
  expect_same(third(g), third(cubic));
}

TEST(TapedFunction, SecondDerivativesOfVariables) {
  const Layer layer;
  auto f = function([&](Tensor x) { return layer(x); });
  const auto second = [&](const auto& h) {
    GradientTape outer;
    Tensor dw;
    {
      GradientTape inner;
      dw = inner.gradient(sum(h(kX)), layer.w);
    }
    return outer.gradient({sum(dw * dw)}, {layer.w, layer.b});
  };
  expect_same(second(f), second(layer));
}

TEST(TapedFunction, VariablesThatChangeAfterTheCall) {
  const Layer layer;
  auto f = function([&](Tensor x) { return layer(x); });
  const auto gradients = [&](const auto& h) {
    const Tensor before = layer.w;
    GradientTape tape;
    tape.watch(kX);
    const Tensor loss = sum(h(kX));
    layer.w.assign(before * 3.f);
    const auto g = tape.gradient({loss}, {kX, layer.w, layer.b});
    layer.w.assign(before);
    return g;
  };
  expect_same(gradients(f), gradients(layer));
}

TEST(TapedFunction, WritesHappenOnceAndInOrder) {
  Variable count(Tensor(0.f), "count", false);
  auto f = function([&](Tensor x) {
    const Tensor before = count;
    count.assign_add(1.f);
    const Tensor y = x * count.value() + before;
    count.assign(count * 2.f);
    return y;
  });
  GradientTape tape;
  tape.watch(kX);
  const Tensor y = f(kX);
  EXPECT_EQ(count.value().item<float>(), 2);
  EXPECT_TRUE(same(y, kX * 1.f + 0.f));
  EXPECT_TRUE(same(tape.gradient(y, kX), Tensor::ones({2, 3})));
  EXPECT_EQ(count.value().item<float>(), 2);
}

TEST(TapedFunction, RandomNumbersAreDrawnOnce) {
  const Generator a = Generator::from_seed(7), b = Generator::from_seed(7);
  const auto gradient = [](const auto& h) {
    GradientTape tape;
    tape.watch(kX);
    return tape.gradient(h(kX), kX);
  };
  const auto noisy = [](const Generator& g) {
    return [g](Tensor x) { return square(x * g.uniform({2, 3})); };
  };
  auto f = function(noisy(a));
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(same(gradient(f), gradient(noisy(b))));
}

TEST(TapedFunction, RowsOfATableStayRows) {
  Variable table(Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2}), "table");
  const auto f = [&](Tensor i) { return square(gather(table, i)); };
  auto g = function(f);
  const auto gradient = [&](const auto& h) {
    GradientTape tape;
    return tape.gradients({h(Tensor{2, 0, 2})}, {table})[0];
  };
  const Gradient eager = gradient(f), graph = gradient(g);
  ASSERT_TRUE(eager.slices.values.defined());
  ASSERT_TRUE(graph.slices.values.defined());
  EXPECT_TRUE(same(graph.slices.values, eager.slices.values));
  EXPECT_TRUE(same(graph.slices.indices, eager.slices.indices));
}

TEST(TapedFunction, LoopsInside) {
  const auto f = [](Tensor x) {
    return for_range(
        0, 5, [&](Tensor, Tensor y) { return y * 0.5f + sin(y); }, x);
  };
  auto g = function(f);
  const auto gradient = [](const auto& h) {
    GradientTape tape;
    tape.watch(kX);
    return tape.gradient(h(kX), kX);
  };
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(same(gradient(g), gradient(f)));
}

TEST(TapedFunction, ALoopThatWritesIsReplayed) {
  Variable v(Tensor(1.f), "v");
  auto f = function([&](Tensor x) {
    return for_range(
        0,
        3,
        [&](Tensor, Tensor y) {
          v.assign(v * 2.f);
          return y * v.value();
        },
        x);
  });
  GradientTape tape;
  tape.watch(kX);
  const Tensor y = f(kX);
  EXPECT_EQ(v.value().item<float>(), 8);
  EXPECT_TRUE(same(y, kX * 2.f * 4.f * 8.f));
}

TEST(TapedFunction, APersistentTapeAndSeveralShapes) {
  auto g = function(cubic);
  for (int n : {1, 2, 1}) {
    const Tensor x = Tensor::full({n, 3}, 0.75f);
    GradientTape tape({.persistent = true}), eager;
    tape.watch(x);
    eager.watch(x);
    const Tensor y = g(x), z = cubic(x);
    const Tensor expected = eager.gradient(z, x);
    EXPECT_TRUE(same(tape.gradient(y, x), expected));
    EXPECT_TRUE(same(tape.gradient(y, x), expected));
  }
}

TEST(TapedFunction, OtherRecordersSeeTheReads) {
  Variable w(Tensor(2.f), "w");
  auto f = function([&](Tensor x) { return x * w; });
  EXPECT_THROW(
      custom_gradient(
          {kX},
          [&](const std::vector<Tensor>& x) {
            return CustomGradient{{f(x[0])}, [](const std::vector<Tensor>& dy) { return dy; }};
          }),
      Error);
}

TEST(TapedFunction, TwoThreads) {
  const Layer layer;
  auto f = function([&](Tensor x) { return layer(x); });
  const auto check = [&](const Tensor& x) {
    const auto expected = layer.gradients(layer, x);
    for (int i = 0; i < 100; ++i)
      expect_same(layer.gradients(f, x), expected);
  };
  const std::jthread other([&] { check(kX * 2.f); });
  check(kX);
}

}  // namespace
}  // namespace weir
