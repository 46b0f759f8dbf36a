/// Passes on graphs with bodies, made by hand.

#include "passes/graphs_for_test.h"

namespace weir::passes {
namespace {

const TensorSpec kX{{4}, DType::float32, "x"};

/// Work for every pass: equal products, an unused node, constants to fold, a factor of one.
GraphPtr wasteful_body(const char* name, float factor) {
  return trace(
      {kX},
      [&](auto& in) {
        auto& builder = *graph::current_builder();
        const Tensor unused = in[0] - 5;
        const Tensor number = builder.constant(Tensor(factor));  // a constant of its own each, in
        const Tensor one = builder.constant(Tensor(1.f));        // the same order for any compiler
        const Tensor c = number * one;
        return std::vector<Tensor>{in[0] * c + in[0] * c * 1};
      },
      name);
}

std::vector<Tensor> add_node(Kind kind,
                             const std::vector<Tensor>& inputs,
                             std::vector<GraphPtr> bodies) {
  auto& builder = *graph::current_builder();
  Node n;
  n.kind = kind;
  for (const Tensor& t : inputs)
    n.inputs.push_back(builder.ref(t, {}));
  for (Ref r : bodies[1]->outputs)
    n.outputs.push_back(bodies[1]->spec(r));
  n.bodies = std::move(bodies);
  return builder.add_structural(std::move(n));
}

int count(const Graph& g, Kind kind) {
  int n = 0;
  for (const Node& node : g.nodes())
    n += node.kind == kind;
  return n;
}

TEST(ControlFlow, BodiesOfLoopsAreOptimised) {
  const auto condition = trace(
      {kX}, [](auto&) { return std::vector<Tensor>{Tensor(true)}; }, "condition");
  const auto g = trace({kX}, [&](auto& in) {
    return add_node(Kind::while_, {in[0]}, {condition, wasteful_body("body", 3)});
  });
  const auto o = optimise(*g);
  verify(*o);
  const Graph& body = *o->node(1).bodies[1];
  ASSERT_EQ(body.size(), 3u);  // x, 3, and the region of the product and the sum
  EXPECT_EQ(body.node(1).kind, Kind::constant);
  EXPECT_EQ(body.node(2).kind, Kind::region);
  EXPECT_EQ(print(*optimise(*o)), print(*o));
  expect_equivalent(*g->node(1).bodies[1], body, {{Tensor{1.f, -0.f, 2.f, 3.f}}});
}

TEST(ControlFlow, ABodyThatNodesShareStaysShared) {
  const auto body = wasteful_body("body", 2);
  const auto g = trace({kX, {{}, DType::boolean, "p"}}, [&](auto& in) {
    const auto once = add_node(Kind::if_, {in[1], in[0]}, {body, body});
    return add_node(Kind::if_, {in[1], once[0]}, {body, body});
  });
  const auto o = optimise(*g);
  ASSERT_EQ(count(*o, Kind::if_), 2);
  EXPECT_EQ(o->node(2).bodies[0], o->node(3).bodies[1]);
  EXPECT_LT(o->node(2).bodies[0]->size(), body->size());
}

TEST(ControlFlow, AKnownPredicateTakesItsBranch) {
  const auto g = [](bool p) {
    return trace({kX}, [&](auto& in) {
      const Tensor predicate = graph::current_builder()->constant(Tensor(p));
      return add_node(
          Kind::if_, {predicate, in[0]}, {wasteful_body("then", 2), wasteful_body("else", 3)});
    });
  };
  Report report;
  const auto o = optimise(*g(false), {}, &report);
  EXPECT_EQ(count(*o, Kind::if_), 0);
  expect_equivalent(*o, *wasteful_body("else", 3), {{Tensor{1.f, 2.f, 3.f, 4.f}}});
  EXPECT_NE(report.explain("If").find("always takes the branch else"), std::string::npos);
  expect_equivalent(*optimise(*g(true)), *wasteful_body("then", 2), {{Tensor{1.f, 2.f, 3.f, 4.f}}});
}

TEST(ControlFlow, AnIndexOutOfRangeTakesTheLastBranch) {
  for (int index : {-1, 0, 1, 7}) {
    const auto g = trace({kX}, [&](auto& in) {
      const Tensor selector = graph::current_builder()->constant(Tensor(index));
      return add_node(
          Kind::case_, {selector, in[0]}, {wasteful_body("a", 2), wasteful_body("b", 3)});
    });
    const float factor = index == 0 ? 2 : 3;
    expect_equivalent(
        *optimise(*g), *wasteful_body("expected", factor), {{Tensor{1.f, 2.f, 3.f, 4.f}}});
  }
}

TEST(ControlFlow, ABranchThatWritesIsKeptAndForgetsReads) {
  Variable v(Tensor{1.f, 1.f, 1.f, 1.f}, "v");
  const auto writes = trace(
      {kX}, [&](auto& in) { return std::vector<Tensor>{v.assign(in[0])}; }, "writes");
  const auto keeps = trace(
      {kX}, [&](auto& in) { return std::vector<Tensor>{in[0]}; }, "keeps");
  const auto g = trace({kX, {{}, DType::boolean, "p"}}, [&](auto& in) {
    const Tensor before = v.value();
    add_node(Kind::if_, {in[1], in[0]}, {writes, keeps});
    return std::vector<Tensor>{before, v.value()};
  });
  const auto o = optimise(*g);
  EXPECT_EQ(count(*o, Kind::if_), 1);
  EXPECT_EQ(count(*o, Kind::read), 2);
}

TEST(ControlFlow, ArgumentsThatNoBranchUsesAreDropped) {
  const auto first = [](const char* name) {
    return trace(
        {kX, {{100}, DType::float32, "big"}, kX},
        [&](auto& in) { return std::vector<Tensor>{in[2] * in[0]}; },
        name);
  };
  const auto g =
      trace({kX, {{}, DType::boolean, "p"}, {{100}, DType::float32, "y"}}, [&](auto& in) {
        return add_node(
            Kind::if_, {in[1], in[0], in[2] * 2, in[0] + 1}, {first("then"), first("else")});
      });
  const auto o = only(*g, {"drop_arguments", "prune"});
  verify(*o);
  EXPECT_EQ(names(*o), "x p y Const_1 AddV2 If");
  EXPECT_EQ(o->node(5).inputs.size(), 3u);
  EXPECT_EQ(names(*o->node(5).bodies[1]), "x x_1 Mul");
  EXPECT_EQ(print(*optimise(*optimise(*g))), print(*optimise(*g)));
}

}  // namespace
}  // namespace weir::passes
