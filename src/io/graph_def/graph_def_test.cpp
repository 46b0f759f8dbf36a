#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops/array.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>
#include <weir/variable.h>

#include <functional>

#include "graph/builder.h"
#include "graph/replay.h"
#include "io/graph_def/attr_reader.h"
#include "io/graph_def/attr_writer.h"
#include "io/graph_def/export.h"
#include "io/graph_def/import.h"
#include "io/graph_def/tensor_proto.h"

namespace weir::io {
namespace {

using graph::Builder;
using graph::Graph;

// A graph of one argument.
std::shared_ptr<Graph> trace(const TensorSpec& spec, const std::function<Tensor(Tensor)>& body) {
  const auto builder = Builder::create("test");
  const Tensor x = builder->input(spec);
  Tensor y;
  {
    const dispatch::HandlerScope scope(*builder);
    y = body(x);
  }
  return builder->finish({&y, 1});
}

TensorSpec floats(Shape shape) {
  return {std::move(shape), DType::float32, "x"};
}

const proto::NodeDef& node(const proto::GraphDef& def, const std::string& name) {
  for (const proto::NodeDef& node : def.node()) {
    if (node.name() == name) return node;
  }
  ADD_FAILURE() << "no node " << name << " in " << def.node_size();
  static const proto::NodeDef none;
  return none;
}

proto::NodeDef* find_node(proto::GraphDef* def, const std::string& name) {
  return const_cast<proto::NodeDef*>(&node(*def, name));
}

void expect_same_values(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.describe(), b.describe());
  EXPECT_EQ(std::string_view(static_cast<const char*>(a.raw_data()), a.nbytes()),
            std::string_view(static_cast<const char*>(b.raw_data()), b.nbytes()));
}

std::shared_ptr<Graph> import_back(const proto::GraphDef& def,
                                   const ExportedNames& names,
                                   const TensorSpec& spec) {
  const ImportedInput input{names.inputs[0], spec};
  Resources resources;
  return import_graph(def, {&input, 1}, names.outputs, "back", resources);
}

// Written, read back, and both run on `x`: the same bits; and written again: the same bytes.
void expect_round_trip(const std::shared_ptr<Graph>& graph,
                       const TensorSpec& spec,
                       const Tensor& x) {
  proto::GraphDef def;
  const ExportedNames names = export_graph(*graph, {}, &def);
  const auto back = import_back(def, names, spec);
  expect_same_values(graph::replay(*graph, {&x, 1})[0], graph::replay(*back, {&x, 1})[0]);
  proto::GraphDef again;
  export_graph(*back, {}, &again);
  EXPECT_EQ(def.SerializeAsString(), again.SerializeAsString());
}

Tensor some_floats() {
  return Tensor{{1.0F, -2.0F, 3.0F}, {0.5F, 0.25F, -8.0F}};
}

TEST(GraphDef, MatMulReluSum_RoundTrips) {
  const TensorSpec spec = floats({-1, 3});
  const auto graph = trace(spec, [](const Tensor& x) {
    const Tensor w = Tensor{{1.0F, 2.0F}, {3.0F, 4.0F}, {5.0F, 6.0F}};
    return sum(relu(matmul(x, w)), {1}, true);
  });
  expect_round_trip(graph, spec, some_floats());
}

TEST(GraphDef, StaticOperands_BecomeConstantsAndBack) {
  const TensorSpec spec = floats({2, 3});
  const auto graph = trace(spec, [](const Tensor& x) { return sum(reshape(x, {3, 2}), {-1}); });
  proto::GraphDef def;
  const ExportedNames names = export_graph(*graph, {}, &def);
  const proto::NodeDef& reduce = node(def, "Sum");
  ASSERT_EQ(reduce.input_size(), 2);
  EXPECT_EQ(reduce.input(1), "Sum_reduction_indices");
  EXPECT_EQ(find_attr(reduce, "Tidx")->type(), proto::DT_INT32);
  EXPECT_FALSE(find_attr(reduce, "keep_dims")->b());
  const Tensor axes =
      tensor_from_proto(find_attr(node(def, "Sum_reduction_indices"), "value")->tensor(), "axes");
  EXPECT_EQ(axes.describe(), "int32[1]");
  EXPECT_EQ(axes.data<std::int32_t>()[0], -1);
  const auto back = import_back(def, names, spec);
  EXPECT_EQ(back->size(), 3U) << graph::print(*back) << "the constants are attributes again";
  expect_round_trip(graph, spec, some_floats());
}

TEST(GraphDef, Paddings_AreAMatrix) {
  const TensorSpec spec = floats({2, 3});
  const auto graph = trace(spec, [](const Tensor& x) { return pad(x, {{1, 0}, {0, 2}}); });
  proto::GraphDef def;
  export_graph(*graph, {}, &def);
  const proto::NodeDef& paddings = node(def, "Pad_paddings");
  EXPECT_EQ(tensor_from_proto(find_attr(paddings, "value")->tensor(), "paddings").describe(),
            "int32[2, 2]");
  expect_round_trip(graph, spec, some_floats());
}

TEST(GraphDef, ShapeAttributes_AreShapes) {
  const TensorSpec spec = floats({-1, 3});
  const auto graph = trace(spec, [](const Tensor& x) { return ensure_shape(x, {-1, 3}); });
  proto::GraphDef def;
  const ExportedNames names = export_graph(*graph, {}, &def);
  const proto::AttrValue* shape = find_attr(node(def, "EnsureShape"), "shape");
  ASSERT_TRUE(shape != nullptr && shape->has_shape());
  ASSERT_EQ(shape->shape().dim_size(), 2);
  EXPECT_EQ(shape->shape().dim(0).size(), -1);
  EXPECT_EQ(shape->shape().dim(1).size(), 3);
  expect_round_trip(graph, spec, some_floats());
  for (proto::AttrEntry& attr : *find_node(&def, "EnsureShape")->mutable_attr()) {
    if (attr.key() == "shape") attr.mutable_value()->mutable_shape()->set_unknown_rank(true);
  }
  EXPECT_THROW(import_back(def, names, spec), Error);
}

TEST(GraphDef, ACountOfOperandsAndOutputs_IsWrittenOnce) {
  const TensorSpec spec = floats({2, 3});
  const auto graph = trace(spec, [](const Tensor& x) {
    const rt::Attr type = rt::Attr::dtype(DType::int64);
    return call_op(*find_op("ShapeN"), {x, reshape(x, {6})}, {rt::Attr::integer(2), type})[1];
  });
  proto::GraphDef def;
  export_graph(*graph, {}, &def);
  int counts = 0;
  for (const proto::AttrEntry& attr : node(def, "ShapeN").attr())
    counts += attr.key() == "N" ? 1 : 0;
  EXPECT_EQ(counts, 1);
  expect_round_trip(graph, spec, some_floats());
}

TEST(GraphDef, AbsentAxis_IsWrittenAsAllAxes) {
  const TensorSpec spec = floats({2, 3});
  const auto graph = trace(spec, [](const Tensor& x) { return sum(x); });
  proto::GraphDef def;
  export_graph(*graph, {}, &def);
  const proto::NodeDef& axes = node(def, "Sum_reduction_indices");
  EXPECT_EQ(tensor_from_proto(find_attr(axes, "value")->tensor(), "axes").size(), 2);
}

TEST(GraphDef, Nodes_CarryTypesShapesAndDevices) {
  const auto graph = trace(floats({-1, 3}), [](const Tensor& x) { return relu(x); });
  proto::GraphDef def;
  ExportOptions options;
  options.device = "/device:CPU:0";
  options.name_prefix = "model/";
  export_graph(*graph, options, &def);
  const proto::NodeDef& relu = node(def, "model/Relu");
  EXPECT_EQ(relu.device(), "/device:CPU:0");
  EXPECT_EQ(find_attr(relu, "T")->type(), proto::DT_FLOAT);
  const auto& shape = find_attr(relu, "_output_shapes")->list().shape(0);
  EXPECT_EQ(shape.dim(0).size(), -1);
  EXPECT_EQ(shape.dim(1).size(), 3);
  EXPECT_EQ(def.versions().producer(), 1569);
}

TEST(GraphDef, UnusedNodes_AreLeftOut) {
  const auto graph = trace(floats({2}), [](const Tensor& x) {
    const Tensor unused = relu(x);
    return x + x;
  });
  proto::GraphDef def;
  export_graph(*graph, {}, &def);
  EXPECT_EQ(def.node_size(), 2);
}

TEST(GraphDef, Variables_AreFrozenOrResources) {
  const Variable w(Tensor{2.0F, 3.0F}, "w");
  const TensorSpec spec = floats({2});
  const auto graph = trace(spec, [&](const Tensor& x) { return x * w; });
  proto::GraphDef frozen;
  const ExportedNames names = export_graph(*graph, {}, &frozen);
  w.assign(Tensor{0.0F, 0.0F});
  const Tensor x{1.0F, 10.0F};
  expect_same_values(graph::replay(*import_back(frozen, names, spec), {&x, 1})[0],
                     Tensor{2.0F, 30.0F});
  proto::GraphDef shown;
  ExportOptions options;
  options.freeze = false;
  export_graph(*graph, options, &shown);
  EXPECT_EQ(node(shown, "w").op(), "VarHandleOp");
  EXPECT_EQ(find_attr(node(shown, "w"), "shared_name")->s(), "w");
  EXPECT_EQ(node(shown, "w/Read").input(0), "w");
}

TEST(GraphDef, WriteOfAVariable_CannotBeFrozen) {
  const Variable w(Tensor{2.0F}, "w");
  const auto graph = trace(floats({1}), [&](const Tensor& x) { return w.assign_add(x); });
  proto::GraphDef def;
  try {
    export_graph(*graph, {}, &def);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unimplemented);
    EXPECT_NE(std::string(error.what()).find("'w'"), std::string::npos);
  }
}

TEST(GraphDef, LargeConstants_CanLoseTheirValue) {
  const Tensor big = Tensor::zeros({1000});
  const auto graph = trace(floats({1000}), [&](const Tensor& x) { return x + big; });
  proto::GraphDef def;
  ExportOptions options;
  options.max_constant_bytes = 100;
  export_graph(*graph, options, &def);
  EXPECT_LT(def.ByteSizeLong(), 1000U);
}

// A call of x -> relu(x) + x as a function of the library.
std::shared_ptr<Graph> graph_with_call(const TensorSpec& spec) {
  const auto body = trace(spec, [](const Tensor& x) { return relu(x) + x; });
  body->set_name("body");
  const auto builder = Builder::create("caller");
  const Tensor x = builder->input(spec);
  graph::Node call;
  call.kind = graph::Kind::call;
  call.inputs.push_back(builder->ref(x, {}));
  call.bodies.push_back(body);
  call.outputs.push_back(body->spec(body->outputs[0]));
  const Tensor y = builder->add_structural(std::move(call))[0];
  return builder->finish({&y, 1});
}

TEST(GraphDef, Functions_RoundTrip) {
  const TensorSpec spec = floats({2, 3});
  const auto graph = graph_with_call(spec);
  proto::GraphDef def;
  export_graph(*graph, {}, &def);
  ASSERT_EQ(def.library().function_size(), 1);
  const proto::FunctionDef& function = def.library().function(0);
  EXPECT_EQ(function.signature().input_arg(0).name(), "x");
  EXPECT_EQ(function.ret(0).value(), "AddV2:z:0");
  EXPECT_EQ(function.node_def(1).input(0), "Relu:activations:0");
  EXPECT_EQ(function.node_def(1).input(1), "x");
  expect_round_trip(graph, spec, some_floats());
}

Code import_code(const proto::GraphDef& def, const std::string& output = "Sum:0") {
  const ImportedInput input{"x:0", floats({2, 3})};
  try {
    Resources resources;
    import_graph(def, {&input, 1}, {&output, 1}, "bad", resources);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).size(), 0U);
    return error.code();
  }
  return Code::ok;
}

proto::GraphDef sum_graph() {
  proto::GraphDef def;
  export_graph(*trace(floats({2, 3}), [](const Tensor& x) { return sum(relu(x), {1}); }), {}, &def);
  return def;
}

// A function of one bool that returns it, without any node.
void add_echo(const std::string& name, proto::GraphDef* def) {
  proto::FunctionDef* function = def->mutable_library()->add_function();
  function->mutable_signature()->set_name(name);
  for (auto* arg : {function->mutable_signature()->add_input_arg(),
                    function->mutable_signature()->add_output_arg()}) {
    arg->set_name(arg == &function->signature().input_arg(0) ? "x" : "y");
    arg->set_type(proto::DT_BOOL);
  }
  auto* result = function->add_ret();
  result->set_key("y");
  result->set_value("x");
}

TEST(GraphDef, ALoopWithoutEndThatRunsWhileLoading_IsAnError) {
  proto::GraphDef def;
  add_echo("echo", &def);
  proto::NodeDef* loop = def.add_node();
  loop->set_name("loop");
  loop->set_op("While");
  loop->add_input("go_on");
  for (const char* name : {"cond", "body"}) {
    auto* attr = loop->add_attr();
    attr->set_key(name);
    attr->mutable_value()->mutable_func()->set_name("echo");
  }
  const Feed feed{"go_on:0", Tensor(true)};
  const std::string target = "loop";
  Resources resources;
  try {
    run_nodes(def, {&feed, 1}, {&target, 1}, resources);
    FAIL() << "it ended";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::resource_exhausted);
  }
}

TEST(GraphDef, DamagedGraphs_AreErrors) {
  EXPECT_EQ(import_code(sum_graph()), Code::ok);
  const struct {
    void (*damage)(proto::GraphDef*);
    Code code;
  } cases[] = {
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_op("Evil"); }, Code::unimplemented},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_input(0, "nobody"); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_input(0, "Sum"); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_input(0, "Relu"); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_input(0, "x:7"); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_input(0, "x:-1"); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_input(0, "x:99999999999"); },
       Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->clear_input(); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->add_input("x"); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Relu")->set_name("x2"); }, Code::data_loss},
      {[](proto::GraphDef* d) { *d->add_node() = node(*d, "Relu"); }, Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Sum")->mutable_input()->RemoveLast(); },
       Code::data_loss},
      {[](proto::GraphDef* d) { add_attr(find_node(d, "Sum"), "keep_dims")->set_s("a text"); },
       Code::data_loss},
      {[](proto::GraphDef* d) { add_attr(find_node(d, "Relu"), "T")->set_type(proto::DT_INT32); },
       Code::data_loss},
      {[](proto::GraphDef* d) { find_node(d, "Sum_reduction_indices")->clear_attr(); },
       Code::data_loss},
      {[](proto::GraphDef* d) {
         add_attr(find_node(d, "Sum_reduction_indices"), "value")
             ->mutable_tensor()
             ->set_dtype(proto::DT_VARIANT);
       },
       Code::unimplemented},
      {[](proto::GraphDef* d) {
         auto* tensor = add_attr(find_node(d, "Sum_reduction_indices"), "value")->mutable_tensor();
         tensor->set_dtype(proto::DT_INT32);
         tensor->add_int_val(99);
       },
       Code::invalid_argument},
  };
  int number = 0;
  for (const auto& c : cases) {
    proto::GraphDef def = sum_graph();
    c.damage(&def);
    EXPECT_EQ(import_code(def), c.code) << "case " << number;
    ++number;
  }
  EXPECT_EQ(import_code(sum_graph(), "nothing"), Code::data_loss);
  EXPECT_EQ(import_code(sum_graph(), ""), Code::data_loss);
}

TEST(GraphDef, FunctionThatCallsItself_IsAnError) {
  proto::GraphDef def;
  const ExportedNames names = export_graph(*graph_with_call(floats({2, 3})), {}, &def);
  proto::NodeDef* call = def.mutable_library()->mutable_function(0)->add_node_def();
  call->set_name("again");
  call->set_op("PartitionedCall");
  call->add_input("x");
  add_attr(call, "f")->mutable_func()->set_name("body");
  def.mutable_library()->mutable_function(0)->mutable_ret(0)->set_value("again:output:0");
  EXPECT_EQ(import_code(def, names.outputs[0]), Code::unimplemented);
}

TEST(GraphDef, LongChain_NeedsNoStack) {
  proto::GraphDef def;
  std::string last = "x";
  for (int i = 0; i < 20000; ++i) {
    proto::NodeDef* next = def.add_node();
    next->set_name("n" + std::to_string(i));
    next->set_op("Relu");
    next->add_input(last);
    add_attr(next, "T")->set_type(proto::DT_FLOAT);
    last = next->name();
  }
  EXPECT_EQ(import_code(def, last), Code::ok);
}

}  // namespace
}  // namespace weir::io
