#include <gtest/gtest.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/graph.h>
#include <weir/operators.h>
#include <weir/ops/math.h>

#include <thread>

namespace weir {
namespace {

TEST(Function, TracesOncePerSignature) {
  int runs = 0;
  auto f = function([&](Tensor x) {
    ++runs;
    return x * 2 + 1;
  });
  EXPECT_EQ(f(Tensor{1.f, 2.f}).data<float>()[1], 5);
  EXPECT_EQ(f(Tensor{3.f, 4.f}).data<float>()[1], 9);
  EXPECT_EQ(runs, 1);
  f(Tensor{1.f});
  f(Tensor{1, 2});
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(f.stats().traces, 3u);
  EXPECT_EQ(f.explain_retrace(),
            "'function' was traced again: argument 0 is int32[2], was float32[2]");
}

struct Pair {
  Tensor sum;
  std::vector<Tensor> parts;
};

TEST(Function, KeepsTheStructureOfArgumentsAndResults) {
  auto f = function([](const std::vector<Tensor>& xs, std::tuple<Tensor, int> scale) {
    Tensor total = xs[0];
    for (std::size_t i = 1; i < xs.size(); ++i)
      total = total + xs[i];
    return Pair{total * std::get<0>(scale) * std::get<1>(scale), {xs[0], total}};
  });
  const Pair r = f(std::vector<Tensor>{Tensor(1.f), Tensor(2.f)}, std::tuple(Tensor(10.f), 2));
  EXPECT_EQ(r.sum.item<float>(), 60);
  ASSERT_EQ(r.parts.size(), 2u);
  EXPECT_EQ(r.parts[1].item<float>(), 3);
  // Another length and another plain value are other traces.
  EXPECT_EQ(f(std::vector<Tensor>{Tensor(1.f)}, std::tuple(Tensor(10.f), 2)).sum.item<float>(), 20);
  EXPECT_EQ(f(std::vector<Tensor>{Tensor(1.f)}, std::tuple(Tensor(10.f), 3)).sum.item<float>(), 30);
  EXPECT_EQ(f.stats().traces, 3u);
}

TEST(Function, AnInputSignatureAcceptsAnySizeOfItsUnknownDimensions) {
  auto f = function([](Tensor x) { return sum(x, 0); },
                    {.name = "total", .input_signature = {{{-1, 2}, DType::float32, "x"}}});
  EXPECT_EQ(f(Tensor{{1.f, 2.f}}).data<float>()[1], 2);
  EXPECT_EQ(f(Tensor{{1.f, 2.f}, {3.f, 4.f}}).data<float>()[1], 6);
  EXPECT_EQ(f.stats().traces, 1u);
  EXPECT_EQ(f.stats().cached_plans, 2u);
  try {
    f(Tensor{1.f});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.info().got, "(float32[1])");
    EXPECT_EQ(e.info().expected, "(float32[?, 2])");
  }
}

TEST(Function, ReduceRetracingRelaxesTheDimensionsThatDiffer) {
  auto f = function([](Tensor x) { return x + x; }, {.reduce_retracing = true});
  for (int n = 1; n <= 6; ++n)
    EXPECT_EQ(f(Tensor::zeros({n, 3})).shape(), (Shape{n, 3}));
  EXPECT_EQ(f.stats().traces, 2u);
}

TEST(Function, VariablesAreReadAndWrittenInProgramOrder) {
  Variable v(Tensor(1.f), "v");
  auto f = function([&](Tensor x) {
    const Tensor before = v.value();
    v.assign_add(x);
    return std::pair(before, v * 10);
  });
  for (int i = 1; i <= 3; ++i) {
    const auto [before, after] = f(Tensor(1.f));
    EXPECT_EQ(before.item<float>(), float(i));
    EXPECT_EQ(after.item<float>(), float(10 * (i + 1)));
  }
  EXPECT_EQ(v.value().item<float>(), 4);
}

TEST(Function, VariablesMayBeCreatedByTheFirstTraceOnly) {
  std::vector<Variable> kept;
  auto f = function([&](Tensor x) {
    kept.emplace_back(Tensor(2.f), "w");
    return x * kept.back();
  });
  EXPECT_EQ(f(Tensor{1.f}).item<float>(), 2);
  try {
    f(Tensor{1.f, 2.f});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::failed_precondition);
    EXPECT_NE(e.info().where.find("while tracing 'function'"), std::string::npos);
  }
}

TEST(Function, ANestedFunctionIsKeptAsACall) {
  auto square = function([](Tensor x) { return x * x; }, {.name = "square"});
  auto f = function([&](Tensor x) { return square(x) + square(x); }, {.name = "f"});
  EXPECT_EQ(f(Tensor(3.f)).item<float>(), 18);
  EXPECT_EQ(square.stats().traces, 1u);
  const std::string text = f.get_concrete_function(TensorSpec{{}, DType::float32}).graph_text();
  EXPECT_NE(text.find("graph square {"), std::string::npos);
}

TEST(Function, RunsEagerlyOnRequest) {
  int runs = 0;
  auto f = function([&](Tensor x) {
    ++runs;
    EXPECT_TRUE(executing_eagerly());
    return x + 1;
  });
  run_functions_eagerly(true);
  f(Tensor(1.f));
  f(Tensor(1.f));
  run_functions_eagerly(false);
  EXPECT_EQ(runs, 2);
}

TEST(Function, AnErrorInsideNamesTheLineAndTheFunction) {
  auto f = function([](Tensor x) { return matmul(x, x); }, {.name = "broken"});
  try {
    f(Tensor::zeros({2, 3}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.info().where.find("function_test.cpp"), std::string::npos);
    EXPECT_NE(e.info().where.find("while tracing 'broken'"), std::string::npos);
  }
  EXPECT_TRUE(executing_eagerly());
}

TEST(Function, IsTracedOnceWhenThreadsRace) {
  std::atomic<int> runs{0};
  auto f = function([&](Tensor x) {
    ++runs;
    return x * x;
  });
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i)
        wrong += f(Tensor(float(t))).template item<float>() != float(t * t);
    });
  }
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(wrong, 0);
}

TEST(Function, ThreadsThatRaceForAPlanKeepOne) {
  auto f = function([](const Tensor& x) { return tanh(x) * 2; },
                    {.input_signature = {{{-1}, DType::float32}}});
  (void)f(Tensor::zeros({1}));
  for (std::int64_t n = 2; n < 6; ++n) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] { (void)f(Tensor::zeros({Dim(n)})); });
    for (auto& t : threads)
      t.join();
    EXPECT_EQ(f.stats().cached_plans, std::size_t(n));
  }
}

TEST(Function, TheCacheOfTracesIsBounded) {
  auto f = function([](Tensor x) { return x + 1; }, {.max_traces = 3});
  for (int n = 1; n <= 10; ++n)
    f(Tensor::zeros({n}));
  EXPECT_EQ(f.stats().traces, 10u);
  EXPECT_EQ(f.stats().cached_traces, 3u);
}

}  // namespace
}  // namespace weir
