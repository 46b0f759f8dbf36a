#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include "graph/builder.h"
#include "graph/replay.h"

namespace weir::graph {
namespace {

std::vector<float> floats(const Tensor& t) {
  const auto d = t.data<float>();
  return {d.begin(), d.end()};
}

TEST(Builder, AppendsNodesInsteadOfComputing) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{-1, 3}, DType::float32, "x"});
  const Tensor w{{1.f}, {2.f}, {3.f}};
  const Tensor y = matmul(x, w) + 1;
  EXPECT_TRUE(y.is_symbolic());
  EXPECT_EQ(y.shape().to_vector(), (std::vector<std::int64_t>{-1, 1}));
  const auto g = b->finish({{y}});
  verify(*g);
  EXPECT_EQ(g->size(), 5u);  // x, w, MatMul, 1, AddV2
  EXPECT_EQ(g->node(2).type(), std::string("MatMul"));
  const Tensor value{{1.f, 1.f, 1.f}};
  EXPECT_EQ(floats(replay(*g, {{value}})[0]), (std::vector<float>{7}));
}

TEST(Builder, NodesKnowTheirLineAndScope) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{2}, DType::float32, "x"});
  dispatch::NameScope scope("layer");
  const Tensor y = x * x;
  const auto g = b->finish({{y}});
  EXPECT_EQ(g->node(1).name, "layer/Mul");
  EXPECT_NE(std::string(g->node(1).where.file_name()).find("graph_test.cpp"), std::string::npos);
}

TEST(Builder, ATensorThatLeaksIsAnErrorThatNamesItsOrigin) {
  auto b = Builder::create("inner");
  const Tensor x = b->input({{2}, DType::float32, "x"});
  const Tensor leaked = x * x;
  b->finish({{leaked}});
  try {
    const Tensor y = leaked + 1;
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::failed_precondition);
    EXPECT_NE(e.info().got.find("'Mul:0' of 'inner'"), std::string::npos);
    EXPECT_NE(e.info().got.find("graph_test.cpp"), std::string::npos);
  }
}

TEST(Builder, EveryOutputHasAnIdOfItsOwn) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{5000}, DType::float32, "x"});
  std::unordered_set<std::uint64_t> ids{x.impl()->id()};
  for (const Tensor& t : unstack(x))
    ids.insert(t.impl()->id());
  EXPECT_EQ(ids.size(), 5001u);
  EXPECT_EQ(b->tensor({0, 0}).impl()->id(), x.impl()->id());
}

TEST(Builder, BranchingOnASymbolicTensorSaysWhatToUse) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{}, DType::boolean, "x"});
  try {
    if (x) FAIL();
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.info().fix.find("weir::cond"), std::string::npos);
  }
}

TEST(Builder, CapturesTensorsOfTheEnclosingTrace) {
  auto outer = Builder::create("outer");
  const Tensor x = outer->input({{2}, DType::float32, "x"});
  auto inner = Builder::create("inner", outer);
  Tensor y;
  {
    dispatch::HandlerScope scope(*inner);
    y = x + 1;
  }
  const auto g = inner->finish({{y}});
  ASSERT_EQ(inner->captures().size(), 1u);
  EXPECT_EQ(floats(replay(*g, {{Tensor{1.f, 2.f}}})[0]), (std::vector<float>{2, 3}));
}

TEST(Builder, VariableWritesKeepTheirPlace) {
  Variable v(Tensor{1.f}, "v");
  auto b = Builder::create("f");
  Tensor before, after;
  {
    dispatch::HandlerScope scope(*b);
    before = v.value() * 10;
    v.assign_add(1.f);
    after = v.value() * 10;
  }
  const auto g = b->finish({{before, after}});
  EXPECT_EQ(v.value().item<float>(), 1);
  const auto results = replay(*g, {});
  EXPECT_EQ(results[0].item<float>(), 10);
  EXPECT_EQ(results[1].item<float>(), 20);
  EXPECT_EQ(v.value().item<float>(), 2);
}

TEST(Replay, UnderABuilderItInlinesAndKeepsNames) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{-1}, DType::float32, "x"});
  Tensor y;
  {
    dispatch::NameScope scope("layer");
    y = sum(x * 2, 0);
  }
  const auto g = b->finish({{y}});
  auto b2 = Builder::create("static");
  const Tensor x2 = b2->input({{3}, DType::float32, "x"});
  std::vector<Tensor> y2;
  {
    dispatch::HandlerScope scope(*b2);
    y2 = replay(*g, {{x2}});
  }
  const auto g2 = b2->finish(y2);
  verify(*g2);
  EXPECT_EQ(g2->node(g2->outputs[0].node).name, "layer/Sum");
  EXPECT_EQ(g2->node(2).outputs[0].shape, (Shape{3}));
  EXPECT_EQ(replay(*g2, {{Tensor{1.f, 2.f, 3.f}}})[0].item<float>(), 12);
}

TEST(Print, ShowsOneNodeALine) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{2}, DType::float32, "x"});
  const auto g = b->finish({{sum(x, 0, true)}});
  EXPECT_EQ(print(*g),
            "graph f {\n"
            "  %0 x = Placeholder() : float32[2]\n"
            "  %1 Sum = Sum(%0) {axis=[0], keepdims=true} : float32[1]\n"
            "  return %1\n"
            "}\n");
  EXPECT_NE(to_dot(*g).find("n0 -> n1"), std::string::npos);
}

/// y = g(g(x))
std::shared_ptr<Graph> calling_twice(const std::shared_ptr<Graph>& g) {
  auto b = Builder::create("f");
  Tensor x = b->input({{2}, DType::float32, "x"});
  for (int i = 0; i < 2; ++i) {
    Node n;
    n.kind = Kind::call;
    n.inputs = {b->ref(x, {})};
    n.outputs.push_back({DType::float32, Shape{2}});
    n.bodies = {g};
    x = b->add_structural(std::move(n))[0];
  }
  return b->finish({{x}});
}

TEST(Graph, CallsThatDoubleAtEachLevelAreWalkedOnce) {
  auto b = Builder::create("leaf");
  const Tensor x = b->input({{2}, DType::float32, "x"});
  auto g = b->finish({{x * x}});
  for (int level = 0; level < 60; ++level)
    g = calling_twice(g);
  verify(*g);
  EXPECT_FALSE(g->has_effects());
  EXPECT_LT(print(*g).size(), 100000u);
}

TEST(Verify, RefusesASpecThatInferDoesNotConfirm) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{2}, DType::float32, "x"});
  const auto g = b->finish({{x * x}});
  g->node(1).outputs[0].shape = Shape{3};
  EXPECT_THROW(verify(*g), Error);
}

TEST(Verify, RefusesAWordThatACallWouldRefuse) {
  auto b = Builder::create("f");
  const Tensor x = b->input({{3}, DType::float32, "x"});
  const auto g = b->finish({{mirror_pad(x, {1, 1}, "SYMMETRIC")}});
  verify(*g);
  AttrList& attrs = g->node(1).attrs;
  for (std::size_t a = 0; a < attrs.size(); ++a) {
    if (attrs[a].kind == rt::Attr::Kind::string) attrs.set(a, rt::Attr::string("ROUND", 5));
  }
  EXPECT_THROW(verify(*g), Error);
}

}  // namespace
}  // namespace weir::graph
