/// Tapes inside traces: the graph of a gradient gives what the gradient gives eagerly.
#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include "graph/builder.h"
#include "graph/replay.h"

namespace weir {
namespace {

std::vector<float> floats(const Tensor& t) {
  const auto d = t.data<float>();
  return {d.begin(), d.end()};
}

std::shared_ptr<graph::Graph> trace(const std::vector<TensorSpec>& specs, const auto& body) {
  auto builder = graph::Builder::create("test");
  std::vector<Tensor> inputs;
  for (const TensorSpec& s : specs)
    inputs.push_back(builder->input(s));
  std::vector<Tensor> results;
  {
    dispatch::HandlerScope scope(*builder);
    results = body(inputs);
  }
  auto g = builder->finish(results);
  graph::verify(*g);
  return g;
}

std::vector<Tensor> loss_gradients(const std::vector<Tensor>& in) {
  GradientTape tape;
  for (const Tensor& t : in)
    tape.watch(t);
  const Tensor y = tanh(matmul(in[0], in[1]) + in[2]);
  return tape.gradient({sum(y * y)}, {in[0], in[1], in[2]});
}

TEST(TracedTape, EqualsEagerAlsoWithUnknownDimensions) {
  const std::vector<Tensor> in{
      Tensor::full({4, 3}, 0.5f), Tensor::full({3, 2}, 0.25f), Tensor{0.1f, 0.2f}};
  const std::vector<Tensor> expected = loss_gradients(in);
  for (const Shape& x : {Shape{4, 3}, Shape{-1, 3}, Shape{-1, -1}}) {
    const auto g = trace(
        {{x, DType::float32, "x"}, {{3, 2}, DType::float32, "w"}, {{-1}, DType::float32, "b"}},
        loss_gradients);
    const std::vector<Tensor> got = graph::replay(*g, in);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(floats(got[i]), floats(expected[i])) << x.to_string() << i;
  }
}

TEST(TracedTape, BroadcastThatIsDecidedOnlyWhenRun) {
  const auto g = trace({{{-1, 3}, DType::float32, "a"}, {{-1, 3}, DType::float32, "b"}},
                       [](const std::vector<Tensor>& in) {
                         GradientTape tape;
                         tape.watch(in[1]);
                         return std::vector<Tensor>{tape.gradient(in[0] * in[1], in[1])};
                       });
  const Tensor a = Tensor::full({2, 3}, 2.f);
  EXPECT_EQ(graph::replay(*g, std::vector<Tensor>{a, Tensor::ones({1, 3})})[0].shape(),
            (Shape{1, 3}));
  EXPECT_EQ(floats(graph::replay(*g, std::vector<Tensor>{a, Tensor::ones({1, 3})})[0]),
            (std::vector<float>{4, 4, 4}));
  EXPECT_EQ(graph::replay(*g, std::vector<Tensor>{a, a})[0].shape(), (Shape{2, 3}));
}

TEST(TracedTape, ReadsAndWritesOfVariables) {
  Variable v(3.f, "v");
  const auto g = trace({{{}, DType::float32, "x"}}, [&](const std::vector<Tensor>& in) {
    GradientTape tape({.persistent = true});
    tape.watch(in[0]);
    const Tensor before = v * v;
    const Tensor assigned = in[0] * 2;
    v.assign(assigned);
    const Tensor y = before + v * assigned;
    return tape.gradient({y}, {v, in[0]});
  });
  const std::vector<Tensor> got = graph::replay(*g, std::vector<Tensor>{Tensor(5.f)});
  EXPECT_EQ(got[0].item<float>(), 6 + 10);  // the old value, and what was assigned
  EXPECT_EQ(got[1].item<float>(), 20);      // not through the assignment
}

TEST(TracedTape, SecondOrder) {
  const auto body = [](const std::vector<Tensor>& in) {
    GradientTape outer;
    outer.watch(in[0]);
    Tensor first;
    {
      GradientTape inner;
      inner.watch(in[0]);
      first = inner.gradient(in[0] * in[0] * in[0], in[0]);
    }
    return std::vector<Tensor>{outer.gradient(first, in[0])};
  };
  const auto g = trace({{{-1}, DType::float32, "x"}}, body);
  EXPECT_EQ(floats(graph::replay(*g, std::vector<Tensor>{Tensor{1.f, 2.f}})[0]),
            (std::vector<float>{6, 12}));
}

TEST(TracedTape, UnknownRowsOfATable) {
  const auto g = trace({{{-1, 2}, DType::float32, "table"}}, [](const std::vector<Tensor>& in) {
    GradientTape tape;
    tape.watch(in[0]);
    return std::vector<Tensor>{tape.gradient(sum(gather(in[0], Tensor{1, 1})), in[0])};
  });
  EXPECT_EQ(floats(graph::replay(*g, std::vector<Tensor>{Tensor::ones({3, 2})})[0]),
            (std::vector<float>{0, 0, 2, 2, 0, 0}));
}

TEST(TracedTape, ReplayUnderATapeDifferentiatesTheGraph) {
  Variable w(4.f, "w");
  const auto g = trace({{{}, DType::float32, "x"}}, [&](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{in[0] * in[0] * w};
  });
  const Tensor x = 3.f;
  GradientTape tape;
  tape.watch(x);
  const Tensor y = graph::replay(*g, std::vector<Tensor>{x})[0];
  const auto d = tape.gradient({y}, {x, w});
  EXPECT_EQ(d[0].item<float>(), 24);
  EXPECT_EQ(d[1].item<float>(), 9);
}

TEST(TracedTape, NodesOfTheGradientHaveTheUsersLine) {
  const auto g = trace({{{2}, DType::float32, "x"}}, [](const std::vector<Tensor>& in) {
    GradientTape tape;
    tape.watch(in[0]);
    return std::vector<Tensor>{tape.gradient(tanh(in[0]), in[0])};
  });
  const graph::Node& last = g->node(int(g->size()) - 1);
  EXPECT_NE(std::string(last.where.file_name()).find("trace_test.cpp"), std::string::npos)
      << last.where.file_name();
  EXPECT_EQ(last.name.find("gradient_tape/"), 0u) << last.name;
}

TEST(TracedTape, SymbolicTensorsPrintTheirName) {
  std::string text;
  trace({{{-1, 10}, DType::float32, "images"}}, [&](const std::vector<Tensor>& in) {
    text = in[0].to_string();
    return in;
  });
  EXPECT_EQ(text, "Tensor(\"images:0\", shape=[?, 10], dtype=float32)");
}

}  // namespace
}  // namespace weir
