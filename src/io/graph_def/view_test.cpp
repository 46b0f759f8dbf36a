#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/graph_def.h>
#include <weir/operators.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/variable.h>

#include <set>

#include "io/proto/graph.pb.h"

namespace weir {
namespace {

proto::GraphDef parse(const std::string& bytes) {
  proto::GraphDef def;
  EXPECT_TRUE(def.ParseFromString(bytes));
  return def;
}

std::set<std::string> names_in(const proto::GraphDef& def) {
  std::set<std::string> names;
  for (const proto::NodeDef& node : def.node())
    names.insert(node.name());
  return names;
}

ConcreteFunction dense() {
  const Variable w(Tensor::full({3, 2}, 0.5F), "dense/kernel");
  auto f = function([w](const Tensor& x) { return relu(matmul(x, w)); });
  return f.get_concrete_function(TensorSpec{{2, 3}, DType::float32, "x"});
}

TEST(GraphView, TracedFunction_ShowsVariablesAndDevices) {
  const proto::GraphDef def = parse(graph_def(dense()));
  const auto names = names_in(def);
  for (const char* name : {"x", "dense/kernel", "dense/kernel/Read", "MatMul", "Relu"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  for (const proto::NodeDef& node : def.node())
    EXPECT_EQ(node.device(), "/device:CPU:0");
}

TEST(GraphView, HandBuiltGraph_IsShownWhole) {
  Graph g;
  const Tensor p = g.placeholder(DType::float32, {-1, 3}, "p");
  const Tensor q = matmul(p, g.constant(Tensor{{1.0F}, {2.0F}, {3.0F}}, "column"));
  EXPECT_EQ(names_in(parse(graph_def(g))), (std::set<std::string>{"MatMul", "column", "p"}));
}

TEST(GraphView, ProfiledNodes_AreThoseOfTheGraph) {
  const Tensor x{{1.0F, 2.0F, 3.0F}, {4.0F, 5.0F, 6.0F}};
  for (const bool optimised : {false, true}) {
    const ProfiledGraph p = profile_graph(dense(), {&x, 1}, {.optimised = optimised});
    const auto names = names_in(parse(p.graph_def));
    ASSERT_FALSE(p.stats.empty());
    std::int64_t end = 0;
    for (const NodeStats& node : p.stats) {
      EXPECT_TRUE(names.contains(node.name)) << node.name;
      EXPECT_GE(node.start_ns, end);
      end = node.start_ns + node.duration_ns;
    }
    EXPECT_EQ(p.stats.back().bytes, 16);
    EXPECT_EQ(p.stats.back().output_shapes[0].to_string(), "[2, 2]");
  }
}

}  // namespace
}  // namespace weir
