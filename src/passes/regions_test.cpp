#include "passes/graphs_for_test.h"

namespace weir::passes {
namespace {

const TensorSpec kX{{-1, 8}, DType::float32, "x"};

Tensor dense(const Tensor& x, std::int64_t in, std::int64_t out) {
  return test_call("TestRelu",
                   matmul(x, Tensor::full({Dim(in), Dim(out)}, 0.5f)) + Tensor::ones({Dim(out)}));
}

int regions(const Graph& g) {
  int n = 0;
  for (const Node& node : g.nodes())
    n += node.kind == Kind::region;
  return n;
}

TEST(FuseContractions, BiasAndActivationJoinTheirContraction) {
  const auto g = trace({kX}, [](auto& in) { return std::vector<Tensor>{dense(in[0], 8, 4)}; });
  Report report;
  const auto o = only(*g, {"name_dimensions", "fuse_contractions"}, &report);
  const Dim batch = o->node(0).outputs[0].shape[0];
  const std::string b = batch.to_string();
  EXPECT_EQ(
      print(*o),
      "graph f {\n"
      "  %0 x = Placeholder() : float32[" +
          b +
          ", 8]\n"
          "  %1 Const = Const() : float32[8, 4]\n"
          "  %2 Const_1 = Const() : float32[4]\n"
          "  %3 TestRelu = Region(%0, %1, %2) : float32[" +
          b +
          ", 4]\n"
          "    graph TestRelu {\n"
          "      %0 x/in = Placeholder() : float32[" +
          b +
          ", 8]\n"
          "      %1 Const/in = Placeholder() : float32[8, 4]\n"
          "      %2 Const_1/in = Placeholder() : float32[4]\n"
          "      %3 MatMul = MatMul(%0, %1) {transpose_a=false, transpose_b=false} : float32[" +
          b +
          ", 4]\n"
          "      %4 AddV2 = AddV2(%3, %2) : float32[" +
          b +
          ", 4]\n"
          "      %5 TestRelu = TestRelu(%4) : float32[" +
          b +
          ", 4]\n"
          "      return %5\n"
          "    }\n"
          "  return %3\n"
          "}\n");
  EXPECT_EQ(o->node(3).annotations.at("from"), "MatMul, AddV2, TestRelu");
  EXPECT_NE(report.explain("TestRelu")
                .find("fuse_contractions: TestRelu is a region that was made from MatMul"),
            std::string::npos);
  const Tensor x = Tensor::full({3, 8}, 1.5f);
  expect_equivalent(*g, *o, {{x}});
}

TEST(FuseContractions, AChainOfLayersIsARegionEach) {
  const auto g = trace({kX}, [](auto& in) {
    return std::vector<Tensor>{dense(dense(dense(in[0], 8, 8), 8, 8), 8, 2)};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(regions(*o), 3);
  EXPECT_EQ(o->size(), 8u);  // x, three regions, two weights, two biases: equal ones are merged
  expect_equivalent(*g, *o, {{Tensor::full({5, 8}, -0.25f)}});
}

TEST(FuseContractions, AValueThatOthersReadIsAFurtherResult) {
  const auto g = trace({kX}, [](auto& in) {
    const Tensor z = matmul(in[0], Tensor::ones({8, 4}));
    return std::vector<Tensor>{test_call("TestRelu", z + 1), sum(z, 0)};
  });
  const auto o = optimise(*g);
  ASSERT_EQ(regions(*o), 1);
  for (const Node& n : o->nodes()) {
    if (n.kind == Kind::region) {
      EXPECT_EQ(n.outputs.size(), 2u);
    }
  }
  expect_equivalent(*g, *o, {{Tensor::ones({3, 8})}});
}

TEST(FuseContractions, WhatComesBackThroughAReductionStaysOutside) {
  const auto g = trace({{{4, 8}, DType::float32, "x"}}, [](auto& in) {
    const Tensor z = matmul(in[0], Tensor::ones({8, 4}));
    return std::vector<Tensor>{z - sum(z, 1, true)};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(regions(*o), 0);
  expect_equivalent(*g, *o, {{Tensor::ones({4, 8})}});
}

TEST(FuseContractions, TwoContractionsKeepTheirOwnRegions) {
  const auto g = trace({{{4, 8}, DType::float32, "x"}}, [](auto& in) {
    const Tensor a = matmul(in[0], Tensor::ones({8, 4})),
                 b = matmul(in[0], Tensor::full({8, 4}, 2.f));
    return std::vector<Tensor>{test_call("TestRelu", a + b)};
  });
  const auto o = optimise(*g);
  ASSERT_EQ(regions(*o), 1);
  for (const Node& n : o->nodes()) {
    if (n.kind == Kind::region) {
      EXPECT_EQ(n.bodies[0]->size() - n.inputs.size(), 3u);
    }
  }
  expect_equivalent(*g, *o, {{Tensor::ones({4, 8})}});
}

TEST(FuseElementwise, ConnectedNodesOfOneShapeAreOneRegion) {
  const auto g = trace({kX, {{8}, DType::float32, "scale"}}, [](auto& in) {
    const Tensor a = in[0] * in[1], b = in[0] + 2;
    return std::vector<Tensor>{test_call("TestRelu", a * b - a)};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(regions(*o), 1);
  EXPECT_EQ(o->size(), 4u);  // x, scale, 2, region
  expect_equivalent(*g, *o, {{Tensor::full({3, 8}, 0.1f), Tensor::full({8}, 3.f)}});
}

TEST(FuseElementwise, AnOperandThatIsBroadcastIsComputedOutside) {
  const auto g = trace({{{16, 8}, DType::float32, "x"}, {{8}, DType::float32, "b"}}, [](auto& in) {
    return std::vector<Tensor>{in[0] * (in[1] * in[1] + 1) * in[0]};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(regions(*o), 2);  // [8] and [16, 8]
  expect_equivalent(*g, *o, {{Tensor::full({16, 8}, 0.1f), Tensor::full({8}, 3.f)}});
}

TEST(FuseElementwise, LimitsSplitLongChains) {
  const auto g = trace({kX}, [](auto& in) {
    Tensor y = in[0];
    for (int i = 0; i < 100; ++i)
      y = test_call(i % 2 ? "TestRelu" : "TestNeg", y);
    return std::vector<Tensor>{y};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(regions(*o), 4);
  EXPECT_EQ(print(*optimise(*o)), print(*o));
  expect_equivalent(*g, *o, {{Tensor::full({3, 8}, 0.1f)}});
}

TEST(FuseElementwise, NeverTakesMoreThanEightOperands) {
  std::vector<TensorSpec> inputs;
  for (int i = 0; i < 20; ++i)
    inputs.push_back({{4}, DType::float32, "x" + std::to_string(i)});
  const auto g = trace(inputs, [](auto& in) {
    Tensor y = in[0];
    for (std::size_t i = 1; i < in.size(); ++i)
      y = y * in[i];
    return std::vector<Tensor>{y};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(regions(*o), 3);
  for (const Node& n : o->nodes())
    EXPECT_LE(n.inputs.size(), 8u);
  expect_equivalent(*g, *o, std::vector<Tensor>(20, Tensor::full({4}, 1.1f)));
}

TEST(FuseElementwise, EffectsStayOutside) {
  const auto g = trace({kX}, [](auto& in) {
    return std::vector<Tensor>{
        test_call("TestNeg", test_call("TestPrint", test_call("TestNeg", in[0])))};
  });
  EXPECT_EQ(regions(*optimise(*g)), 0);
}

TEST(FuseElementwise, AWriteBetweenMembersKeepsItsPlace) {
  Variable v(Tensor{1.f, 2.f}, "v");
  const auto g = trace({{{2}, DType::float32, "x"}}, [&](auto& in) {
    const Tensor momentum = v.value() * 0.9f + in[0];
    v.assign(momentum);
    return std::vector<Tensor>{in[0] - momentum * 0.1f + v.value()};
  });
  const auto o = optimise(*g);
  verify(*o);
  const Tensor x{3.f, 4.f};
  const auto expected = graph::replay(*g, {{x}});
  const Tensor written = v.value();
  v.assign(Tensor{1.f, 2.f});
  const auto got = graph::replay(*o, {{x}});
  EXPECT_TRUE(same_bits(expected[0], got[0]));
  EXPECT_TRUE(same_bits(written, v.value()));
}

}  // namespace
}  // namespace weir::passes
