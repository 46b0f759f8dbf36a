#include <gtest/gtest.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/graph.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>
#include <weir/random.h>

#include <atomic>
#include <functional>
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

TEST(Function, ACallableMayLetGoOfTheCallersTensor) {
  Tensor state{1.f, 2.f};
  auto f = function([&](Tensor x) {
    state = Tensor();  // the handle that the call was made with
    return x * 3;
  });
  EXPECT_EQ(f(state).data<float>()[1], 6);
  EXPECT_FALSE(state.defined());
  state = Tensor{5.f, 6.f};
  EXPECT_EQ(f(state).data<float>()[1], 18);  // not traced again
  EXPECT_TRUE(state.defined());
}

TEST(Function, ManyArgumentsAndTemporaries) {
  auto f = function([](const std::vector<Tensor>& xs) {
    Tensor total = xs[0];
    for (std::size_t i = 1; i < xs.size(); ++i)
      total = total + xs[i];
    return total;
  });
  const std::vector<Tensor> xs(9, Tensor{1.f, 2.f});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(f(xs).data<float>()[1], 18);
  auto same = function([](Tensor x) { return x; });
  Tensor kept;
  for (int i = 0; i < 3; ++i)
    kept = same(Tensor{1.f, 2.f} + 1);
  EXPECT_EQ(kept.data<float>()[0], 2);
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

std::string message_of(auto&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Function, AWriteOfAnotherShapeIsRefusedWhenTheShapeIsKnown) {
  Variable v(Tensor::zeros({4}), "v");
  const FunctionOptions any_size{.input_signature = {{{-1}, DType::float32}}};
  auto assign = function([&](Tensor x) { v.assign(x); }, any_size);
  auto computed = function([&](Tensor x) { v.assign(x * 2); }, any_size);
  for (const int n : {8, 2}) {
    EXPECT_NE(message_of([&] { assign(Tensor::ones({n})); }).find("another shape"),
              std::string::npos);
    EXPECT_NE(message_of([&] { computed(Tensor::ones({n})); }).find("another shape"),
              std::string::npos);
  }
  EXPECT_EQ(v.shape(), Shape{4});
  EXPECT_EQ(v.version(), 1u);
  computed(Tensor::ones({4}));
  EXPECT_EQ(v.value().data<float>()[3], 2);
}

TEST(Function, AWriteWhoseShapeDependsOnDataIsCheckedWhenItHappens) {
  Variable v(Tensor::zeros({2, 1}, DType::int64), "v");
  auto f = function([&](Tensor x) { v.assign(where(x)); });
  f(Tensor{true, false, true});
  EXPECT_EQ(v.value().data<std::int64_t>()[1], 2);
  EXPECT_NE(message_of([&] {
              f(Tensor{true, true, true});
            }).find("another shape"),
            std::string::npos);
  EXPECT_EQ(v.shape(), (Shape{2, 1}));
}

TEST(Function, AFailureKeepsTheWritesBeforeIt) {
  Variable v(Tensor::zeros({2}), "v"), w(Tensor(0), "w");
  auto f = function([&](Tensor x, Tensor i) {
    v.assign(x + 1);
    w.assign(i);
    const Tensor y = gather(x, i);
    v.assign(x * y);
    w.assign_add(1);
    return v * 1;
  });
  const Tensor x{2.f, 3.f};
  f(x, Tensor(1));
  EXPECT_EQ(v.value().data<float>()[0], 6);
  EXPECT_EQ(w.value().item<int>(), 2);
  for (int k = 0; k < 2; ++k) {
    EXPECT_THROW(f(x, Tensor(7)), Error);
    EXPECT_EQ(v.value().data<float>()[0], 3);
    EXPECT_EQ(v.value().data<float>()[1], 4);
    EXPECT_EQ(w.value().item<int>(), 7);
  }
  f(x, Tensor(0));
  EXPECT_EQ(v.value().data<float>()[1], 6);
}

TEST(Function, NumbersThatDifferInAnyBitAreOtherSignatures) {
  auto scale = function([](Tensor x, auto factor) { return x * double(factor); });
  EXPECT_EQ(scale(Tensor(1.f), 1e-7).item<float>(), 1e-7f);
  EXPECT_EQ(scale(Tensor(1.f), 3e-7).item<float>(), 3e-7f);
  EXPECT_EQ(scale(Tensor(1.f), 0.1).item<float>(), 0.1f);
  EXPECT_EQ(scale(Tensor(1.f), std::int8_t(-3)).item<float>(), -3);
  EXPECT_NE(scale.explain_retrace().find("'i8 -3;'"), std::string::npos);
}

enum class Color { red, green };
struct Mixed {
  Tensor y;
  int steps;
  std::string label;
  std::vector<std::pair<bool, Tensor>> flags;
  Color color;
};

TEST(Function, ResultsKeepWhatIsNoTensor) {
  Variable w(Tensor(1.f), "w");
  auto f = function([&](Tensor x, int n) {
    return Mixed{x * n, n, "n = " + std::to_string(n), {{n > 2, x}, {true, x + 1}}, Color::green};
  });
  for (const int n : {2, 3, 2, 3}) {
    const Mixed r = f(Tensor(5.f), n);
    EXPECT_EQ(r.y.item<float>(), float(5 * n));
    EXPECT_EQ(r.steps, n);
    EXPECT_EQ(r.label, "n = " + std::to_string(n));
    ASSERT_EQ(r.flags.size(), 2u);
    EXPECT_EQ(r.flags[0].first, n > 2);
    EXPECT_TRUE(r.flags[1].first);
    EXPECT_EQ(r.flags[1].second.item<float>(), 6);
    EXPECT_EQ(r.color, Color::green);
  }
  EXPECT_EQ(f.stats().traces, 2u);
  auto g = function([&](Tensor) { return w; });
  EXPECT_TRUE(g(Tensor(1.f)).same_as(w));
  EXPECT_TRUE(g(Tensor(2.f)).same_as(w));
}

TEST(Function, RecursionOnTheSameSignatureIsAnError) {
  std::function<Tensor(Tensor)> again, other;
  auto f = function([&](Tensor x) { return again(x) + 1; }, {.name = "f"});
  again = [&](Tensor x) { return f(x); };
  EXPECT_NE(message_of([&] { f(Tensor(1.f)); }).find("'f' calls itself"), std::string::npos);
  auto g = function([&](Tensor x) { return other(x); }, {.name = "g"});
  other = [&](Tensor x) { return f(x); };
  again = [&](Tensor x) { return g(x); };
  EXPECT_NE(message_of([&] { f(Tensor(1.f)); }).find("recursion"), std::string::npos);
  again = [&](Tensor x) { return f(concat({x, Tensor{1.f}}, 0)); };
  EXPECT_NE(message_of([&] { f(Tensor{1.f}); }).find("too many"), std::string::npos);
  again = [](Tensor x) { return x; };
  EXPECT_EQ(f(Tensor(1.f)).item<float>(), 2);
}

TEST(Function, RecursionMayStopOnAHostValue) {
  std::function<Tensor(Tensor, int)> again;
  auto power = function([&](Tensor x, int n) { return n == 0 ? x * 0 + 1 : again(x, n - 1) * x; });
  again = [&](Tensor x, int n) { return power(x, n); };
  EXPECT_EQ(power(Tensor(2.f), 5).item<float>(), 32);
  EXPECT_EQ(power.stats().traces, 6u);
}

TEST(Function, ThreadsMayTraceFunctionsThatCallEachOther) {
  std::function<Tensor(Tensor, int)> call_g;
  std::atomic<int> inside{0};
  const auto meet = [&] {
    for (++inside; inside < 2;)
      std::this_thread::yield();
  };
  auto f = function([&](Tensor x, int n) {
    if (n == 1) meet();
    return n == 0 ? x : call_g(x, n - 1) + 1;
  });
  auto g = function([&](Tensor x, int n) {
    if (n == 1) meet();
    return n == 0 ? x : f(x, n - 1) * 2;
  });
  call_g = [&](Tensor x, int n) { return g(x, n); };
  float results[2] = {};
  std::thread a([&] { results[0] = f(Tensor(3.f), 1).item<float>(); });
  std::thread b([&] { results[1] = g(Tensor(3.f), 1).item<float>(); });
  a.join();
  b.join();
  EXPECT_EQ(results[0], 4);
  EXPECT_EQ(results[1], 6);
}

TEST(Function, AVariableOfTheFirstTraceStartsWithAComputedValue) {
  Variable w, noise, scaled;
  auto f = function([&](Tensor x) {
    if (!w.defined()) {
      w = Variable(zeros({3}) + 2.f, "w");
      noise = Variable(random::uniform({2}), "noise");
      scaled = Variable(w * 10.f, "scaled");
    }
    w.assign_add(x);
    return w * 1;
  });
  EXPECT_EQ(f(Tensor{1.f, 1.f, 1.f}).data<float>()[2], 3);
  EXPECT_EQ(f(Tensor{1.f, 1.f, 1.f}).data<float>()[2], 4);
  EXPECT_EQ(scaled.value().data<float>()[0], 20);
  EXPECT_NE(noise.value().data<float>()[0], noise.value().data<float>()[1]);
  std::vector<Variable> kept;
  auto g = function([&](Tensor x) { kept.emplace_back(x * 2, "late"); });
  const std::string message = message_of([&] { g(Tensor(1.f)); });
  EXPECT_NE(message.find("cannot be lifted"), std::string::npos) << message;
  EXPECT_NE(message.find("'arg0'"), std::string::npos) << message;
}

TEST(Function, AConcreteFunctionTakesStructures) {
  auto f = function([](const std::vector<Tensor>& xs, std::pair<Tensor, int> scale) {
    return (xs[0] + xs[1]) * scale.first * scale.second;
  });
  const TensorSpec any{{-1}, DType::float32};
  const auto c =
      f.get_concrete_function(std::vector<TensorSpec>{any, any}, std::pair(TensorSpec{{}}, 3));
  EXPECT_EQ(c.inputs().size(), 3u);
  const Tensor arguments[] = {Tensor{1.f, 2.f}, Tensor{3.f, 4.f}, Tensor(2.f)};
  EXPECT_EQ(c(arguments)[0].data<float>()[1], 36);
  // A call with these types uses the same trace.
  f(std::vector<Tensor>{Tensor{1.f}, Tensor{1.f}}, std::pair(Tensor(1.f), 3));
  EXPECT_EQ(f.stats().traces, 1u);
  auto g = function([](const std::vector<Tensor>& xs) { return concat(xs, 0); });
  EXPECT_EQ(g.get_concrete_function({any, any, any, any}).inputs().size(), 4u);
  auto h = function([](const Pair& p) { return p.sum + p.parts[0]; });
  const Pair example{Tensor{1.f}, {Tensor{2.f}}};
  EXPECT_EQ(h.get_concrete_function(example)(std::vector<Tensor>{Tensor{1.f}, Tensor{2.f}})[0]
                .item<float>(),
            3);
}

TEST(Function, AConcreteFunctionInsideATraceIsACall) {
  Variable v(Tensor(1.f), "v");
  auto f = function([&](Tensor x) { return v.assign_add(sum(x)); }, {.name = "step"});
  const auto c = f.get_concrete_function(TensorSpec{{-1}, DType::float32});
  auto outer = function([&](Tensor x) {
    const Tensor a = c(std::vector<Tensor>{x})[0];
    return a + c(std::vector<Tensor>{x * 2})[0];
  });
  EXPECT_EQ(outer(Tensor{1.f, 1.f}).item<float>(), 3 + 7);
  EXPECT_EQ(v.value().item<float>(), 7);
  EXPECT_NE(outer.get_concrete_function(TensorSpec{{2}, DType::float32})
                .graph_text()
                .find("graph step {"),
            std::string::npos);
  EXPECT_NE(message_of([&] { c(std::vector<Tensor>{Tensor()}); }).find("do not fit"),
            std::string::npos);
}

TEST(Function, AConcreteFunctionHonoursEagerRuns) {
  Variable v(Tensor(1.f), "v");
  const auto c = function([&](Tensor x) {
                   return x * v;
                 }).get_concrete_function(TensorSpec{{}, DType::float32});
  run_functions_eagerly(true);
  auto outer = function([&](Tensor x) {
    EXPECT_FALSE(c(std::vector<Tensor>{x})[0].is_symbolic());
    return x;
  });
  outer(Tensor(2.f));
  run_functions_eagerly(false);
}

TEST(Function, AnErrorOfTheCallNamesTheLineOfTheCaller) {
  auto f = function([](Tensor x) { return x; }, {.input_signature = {{{2}, DType::float32}}});
  const auto line = std::to_string(__LINE__ + 1);
  const std::string message = message_of([&] { f(Tensor{1.f}); });
  EXPECT_NE(message.find("function_test.cpp:" + line), std::string::npos) << message;
}

TEST(Function, AnErrorOfAnOpWithoutOperandsNamesTheLineOfTheCaller) {
  const auto line = std::to_string(__LINE__ + 1);
  const std::string message = message_of([&] { random::uniform({-2, 3}); });
  EXPECT_NE(message.find("function_test.cpp:" + line), std::string::npos) << message;
  const auto next = std::to_string(__LINE__ + 1);
  const std::string other = message_of([&] { zeros({-2, 3}); });
  EXPECT_NE(other.find("function_test.cpp:" + next), std::string::npos) << other;
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
