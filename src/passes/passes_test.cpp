#include <cstdlib>

#include "passes/graphs_for_test.h"

namespace weir::passes {
namespace {

const TensorSpec kX{{2, 3}, DType::float32, "x"};

Node op_node(const char* op, Ref input, Spec output) {
  Node n;
  n.op = &test_op(op);
  n.inputs.push_back(input);
  n.outputs.push_back(std::move(output));
  return n;
}

TEST(Prune, RemovesWhatNothingUses) {
  const auto g = trace({kX}, [](auto& in) {
    const Tensor unused = in[0] * 3;
    return std::vector<Tensor>{in[0] + 1};
  });
  const auto o = only(*g, {"prune"});
  EXPECT_EQ(print(*o),
            "graph f {\n"
            "  %0 x = Placeholder() : float32[2, 3]\n"
            "  %1 Const_1 = Const() 1 : float32[]\n"
            "  %2 AddV2 = AddV2(%0, %1) : float32[2, 3]\n"
            "  return %2\n"
            "}\n");
  EXPECT_EQ(g->size(), 5u);
}

TEST(Prune, KeepsInputsAndEffectsInOrder) {
  Variable v(Tensor{1.f}, "v");
  const auto g = trace({kX, {{1}, DType::float32, "y"}}, [&](auto& in) {
    v.assign_add(1.f);
    test_call("TestPrint", v.value());
    v.assign(in[1]);
    test_call("TestPrint", in[1] * 2);
    return std::vector<Tensor>{Tensor(1.f)};
  });
  const auto o = optimise(*g);
  verify(*o);
  printed() = {};
  graph::replay(*o, {{Tensor::zeros({2, 3}), Tensor{5.f}}});
  EXPECT_EQ(printed().count, 2);
  EXPECT_EQ(printed().sum, 12);  // 2 after the first write, 10
  EXPECT_EQ(v.value().item<float>(), 5);
}

TEST(MergeDuplicates, MergesEqualOpsAndConstants) {
  const auto g = trace({kX}, [](auto& in) {
    const Tensor a = in[0] * Tensor(2.f), b = in[0] * Tensor(2.f);
    return std::vector<Tensor>{a + b, sum(in[0], 0), sum(in[0], 1), sum(in[0], 0)};
  });
  Report report;
  const auto o = only(*g, {"merge_duplicates"}, &report);
  EXPECT_EQ(print(*o),
            "graph f {\n"
            "  %0 x = Placeholder() : float32[2, 3]\n"
            "  %1 Const = Const() 2 : float32[]\n"
            "  %2 Mul = Mul(%0, %1) : float32[2, 3]\n"
            "  %3 AddV2 = AddV2(%2, %2) : float32[2, 3]\n"
            "  %4 Sum = Sum(%0) {axis=[0], keepdims=false} : float32[3]\n"
            "  %5 Sum_1 = Sum(%0) {axis=[1], keepdims=false} : float32[2]\n"
            "  return %3, %4, %5, %4\n"
            "}\n");
  EXPECT_NE(report.explain("Mul_1").find("merge_duplicates: Mul_1 computes the same as Mul"),
            std::string::npos);
}

TEST(MergeDuplicates, ExchangesOperandsWhereNoNanCanTell) {
  const auto swapped = [](DType t) {
    const TensorSpec a{{4}, t, "a"}, b{{4}, t, "b"};
    return trace({a, b},
                 [](auto& in) { return std::vector<Tensor>{(in[0] + in[1]) * (in[1] + in[0])}; });
  };
  EXPECT_EQ(only(*swapped(DType::int32), {"merge_duplicates"})->size(), 4u);
  EXPECT_EQ(only(*swapped(DType::float32), {"merge_duplicates"})->size(), 5u);
  Options fast;
  fast.fast = true;
  EXPECT_EQ(only(*swapped(DType::float32), {"merge_duplicates"}, nullptr, fast)->size(), 4u);
}

TEST(MergeDuplicates, ZerosOfBothSignsAreTwoConstants) {
  const auto g = trace({kX}, [](auto& in) {
    return std::vector<Tensor>{in[0] + Tensor(0.f), in[0] + Tensor(-0.f)};
  });
  EXPECT_EQ(only(*g, {"merge_duplicates"})->size(), 5u);
}

TEST(MergeDuplicates, ReadsMergeBetweenWritesOnly) {
  Variable v(Tensor{1.f}, "v");
  auto b = graph::Builder::create("f");
  Graph& g = b->graph();
  const auto access = [&](Kind kind, std::vector<Ref> in) {
    Node n;
    n.kind = kind;
    n.variable = v.state();
    for (Ref r : in)
      n.inputs.push_back(r);
    n.outputs.push_back({DType::float32, Shape{1}});
    return Ref{g.add(std::move(n)), 0};
  };
  const Ref r1 = access(Kind::read, {}), r2 = access(Kind::read, {});
  const Ref neg{g.add(op_node("TestNeg", r2, {DType::float32, Shape{1}})), 0};
  access(Kind::write, {neg});
  const Ref r3 = access(Kind::read, {});
  g.outputs = {r1, r2, r3};
  const auto o = only(g, {"merge_duplicates"});
  EXPECT_EQ(o->size(), 3u);  // read, neg, write
  EXPECT_EQ(o->outputs, (std::vector<Ref>{{0, 0}, {0, 0}, {2, 0}}));
}

TEST(FoldConstants, ComputesWhatDependsOnConstantsOnly) {
  const auto g = trace({kX}, [](auto& in) {
    auto& builder = *graph::current_builder();
    const Tensor c = builder.constant(Tensor{1.f, 2.f, 3.f});
    return std::vector<Tensor>{in[0] + (c * c + 1)};
  });
  Report report;
  const auto o = only(*g, {"fold_constants", "prune"}, &report);
  ASSERT_EQ(o->size(), 3u);
  EXPECT_TRUE(same_bits(o->node(1).value, Tensor{2.f, 5.f, 10.f}));
  EXPECT_EQ(o->node(1).annotations.at("pass"), "fold_constants");
  EXPECT_EQ(report.explain("AddV2"), "fold_constants: AddV2 was computed from AddV2\n");
}

TEST(FoldConstants, DoesNotGrowConstants) {
  const auto grown = [](std::int64_t n) {
    return trace({}, [&](auto&) {
      auto& builder = *graph::current_builder();
      const Tensor column = builder.constant(Tensor::ones({Dim(n), 1}));
      const Tensor row = builder.constant(Tensor::ones({1, Dim(n)}));
      return std::vector<Tensor>{column * row};
    });
  };
  EXPECT_EQ(only(*grown(4), {"fold_constants", "prune"})->size(), 1u);
  EXPECT_EQ(only(*grown(1000), {"fold_constants", "prune"})->size(), 3u);
}

TEST(FoldConstants, FoldsALargeConstantOnlyInItsPlace) {
  const auto graph = [](bool keep_original) {
    return trace({}, [&](auto&) {
      const Tensor large = graph::current_builder()->constant(Tensor::ones({200, 200}));
      std::vector<Tensor> out = {large * 2};
      if (keep_original) out.push_back(large);
      return out;
    });
  };
  EXPECT_EQ(only(*graph(false), {"fold_constants", "prune"})->size(), 1u);
  EXPECT_EQ(only(*graph(true), {"fold_constants", "prune"})->size(), 3u);
}

TEST(FoldConstants, AnOpThatFailsStays) {
  const auto g = trace({}, [](auto&) {
    return std::vector<Tensor>{
        test_call("TestFail", graph::current_builder()->constant(Tensor{1.f}))};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(o->size(), 2u);
  EXPECT_THROW(graph::replay(*o, {}), Error);
}

TEST(FoldConstants, StaticOperandsBecomeAttributes) {
  const auto g = trace({kX, {{1}, DType::int32, "axes"}},
                       [](auto& in) { return std::vector<Tensor>{sum(in[0], Ints(in[1]))}; });
  ASSERT_EQ(g->node(2).inputs.size(), 2u);
  Node constant;
  constant.kind = Kind::constant;
  constant.value = Tensor{1};
  constant.outputs.push_back({DType::int32, Shape{1}});
  auto b = graph::Builder::create("g");
  Graph& h = b->graph();
  h.add(g->node(0));
  h.add(std::move(constant));
  h.add(g->node(2));
  h.outputs = {{2, 0}};
  const auto o = only(h, {"fold_constants", "prune"});
  EXPECT_EQ(print(*o),
            "graph g {\n"
            "  %0 x = Placeholder() : float32[2, 3]\n"
            "  %1 Sum = Sum(%0) {axis=[1], keepdims=false} : float32[2]\n"
            "  return %1\n"
            "}\n");
}

TEST(FoldConstants, IsSeenByNoTape) {
  struct Counter final : dispatch::Recorder {
    int calls = 0;
    void record(const dispatch::Invocation&, std::span<const Tensor>) override { ++calls; }
    void record_read(const std::shared_ptr<VariableState>&, const Tensor&) override { ++calls; }
  } counter;
  const auto g = trace({}, [](auto&) {
    const Tensor c = graph::current_builder()->constant(Tensor{1.f});
    return std::vector<Tensor>{c + c};
  });
  dispatch::push_recorder(counter);
  const auto o = optimise(*g);
  dispatch::remove_recorder(counter);
  EXPECT_EQ(o->size(), 1u);
  EXPECT_EQ(counter.calls, 0);
}

TEST(MaterialiseShapes, KnownShapesBecomeConstants) {
  const auto shape_of = [](Shape s) {
    return trace({{s, DType::float32, "x"}},
                 [](auto& in) { return std::vector<Tensor>{test_call("TestShape", in[0] * 2)}; });
  };
  const auto o = optimise(*shape_of({100000, 100000, 100}));
  ASSERT_EQ(o->size(), 2u);
  EXPECT_TRUE(same_bits(o->node(1).value, Tensor{100000, 100000, 100}));
  EXPECT_EQ(only(*shape_of({-1, 3}), {"materialise_shapes"})->size(), 4u);
}

TEST(NameDimensions, UnknownDimensionsOfOneInputAreEqualEverywhere) {
  const auto g = trace({{{-1, 3}, DType::float32, "x"}}, [](auto& in) {
    return std::vector<Tensor>{in[0] * 2 + in[0], matmul(in[0], Tensor::ones({3, 4}))};
  });
  const auto o = only(*g, {"name_dimensions"});
  const Dim batch = o->node(0).outputs[0].shape[0];
  EXPECT_TRUE(batch.is_symbol());
  EXPECT_TRUE(o->spec(o->outputs[0]).shape[0].same(batch));
  EXPECT_TRUE(o->spec(o->outputs[1]).shape[0].same(batch));
}

GraphPtr nested_call(int depth, const Tensor& weight) {
  const auto body = depth > 0 ? nested_call(depth - 1, weight) : nullptr;
  return trace({{{-1, 3}, DType::float32, "x"}}, [&](auto& in) {
    const Tensor y = in[0] * weight;
    if (!body) return std::vector<Tensor>{y};
    Node n;
    n.kind = Kind::call;
    n.name = "call";
    n.bodies = {body};
    n.inputs.push_back(graph::current_builder()->ref(y, {}));
    n.outputs.push_back({DType::float32, y.shape()});
    return graph::current_builder()->add_structural(std::move(n));
  });
}

TEST(InlineCalls, NestedCallsBecomeNodesWithTheirNames) {
  const auto g = nested_call(2, Tensor{1.f, 2.f, 3.f});
  Report report;
  const auto o = only(*g, {"inline_calls"}, &report);
  EXPECT_EQ(names(*o), "x Const Mul call/Const call/Mul call/call/Const call/call/Mul");
  EXPECT_NE(report.explain("call/Mul").find("inline_calls"), std::string::npos);
  expect_equivalent(*g, *o, {{Tensor{{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}}}});
  EXPECT_EQ(optimise(*g)->size(), 3u);  // x, one constant, one region
}

TEST(Pipeline, PassesAreSwitchedOffByNameOrEnvironment) {
  const auto g = trace({kX}, [](auto& in) {
    const Tensor unused = in[0] * 3;
    return std::vector<Tensor>{in[0]};
  });
  EXPECT_EQ(optimise(*g)->size(), 1u);
  Options off;
  off.disabled = {"prune"};
  EXPECT_EQ(optimise(*g, off)->size(), 3u);
  setenv("WEIR_DISABLE_PASSES", "fold_constants,prune", 1);
  EXPECT_EQ(optimise(*g)->size(), 3u);
  setenv("WEIR_DISABLE_PASSES", "all", 1);
  Report report;
  EXPECT_EQ(print(*optimise(*g, {.verify = true}, &report)), print(*g));
  EXPECT_NE(report.to_string().find("disabled"), std::string::npos);
  unsetenv("WEIR_DISABLE_PASSES");
}

TEST(Pipeline, APassThatFailsLeavesTheGraphAndSaysSo) {
  auto g = trace({kX}, [](auto& in) {
    const Tensor unused = in[0] * 3;
    return std::vector<Tensor>{in[0] + 1};
  });
  g->node(4).outputs[0].shape =
      Shape{7};  // verify finds this behind every pass that changes something
  Report report;
  const auto o = optimise(*g, {.verify = true}, &report);
  EXPECT_EQ(print(*o), print(*g));
  ASSERT_FALSE(report.passes.empty());
  EXPECT_NE(report.to_string().find("failed, graph unchanged"), std::string::npos);
}

TEST(Pipeline, TheReportCountsNodesBytesAndFlops) {
  const auto g = trace({{{4, 8}, DType::float32, "x"}}, [](auto& in) {
    const Tensor a = matmul(in[0], Tensor::ones({8, 2})), b = matmul(in[0], Tensor::ones({8, 2}));
    return std::vector<Tensor>{a + b};
  });
  Report report;
  optimise(*g, {}, &report);
  EXPECT_EQ(report.before.nodes, 6);
  EXPECT_EQ(report.before.flops, 2 * (2 * 4 * 8 * 2) + 8);
  EXPECT_EQ(report.after.flops, 2 * 4 * 8 * 2 + 8);
  EXPECT_EQ(report.before.constants, 2 * 64);
  EXPECT_EQ(report.after.constants, 64);
}

TEST(Pipeline, OptimisingTwiceChangesNothing) {
  const auto g = nested_call(3, Tensor{1.f, 2.f, 3.f});
  const auto once = optimise(*g);
  EXPECT_EQ(print(*optimise(*once)), print(*once));
}

}  // namespace
}  // namespace weir::passes
