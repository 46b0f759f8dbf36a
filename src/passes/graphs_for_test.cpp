#include "passes/graphs_for_test.h"

#include <algorithm>

#include "dispatch/call.h"

namespace weir::passes {
namespace {

void infer_same(InferContext& c) {
  c.set(0, c.shape(0).to_shape());
}
void infer_shape(InferContext& c) {
  c.set(0, Shape{Dim(c.shape(0).rank())});
}

Status run_relu(const rt::KernelCall& c) {
  const float* x = c.in[0].as<float>();
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    c.out[0].as<float>()[i] = x[i] < 0 ? 0 : x[i];
  return {};
}
Status run_neg(const rt::KernelCall& c) {
  const float* x = c.in[0].as<float>();
  for (std::int64_t i = 0; i < c.out[0].size(); ++i)
    c.out[0].as<float>()[i] = -x[i];
  return {};
}
Status run_shape(const rt::KernelCall& c) {
  for (int i = 0; i < c.in[0].rank; ++i)
    c.out[0].as<std::int32_t>()[i] = std::int32_t(c.in[0].dims[i]);
  return {};
}
Status run_print(const rt::KernelCall& c) {
  ++printed().count;
  for (std::int64_t i = 0; i < c.in[0].size(); ++i)
    printed().sum += double(c.in[0].as<float>()[i]);
  std::memcpy(c.out[0].data, c.in[0].data, std::size_t(c.out[0].bytes()));
  return {};
}
Status run_fail(const rt::KernelCall&) {
  return {Code::out_of_range, "this op fails"};
}

OpDef float_op(const char* name, Trait traits, DType out = DType::float32) {
  OpDef op(name);
  op.input("x", DType::float32).output("y", out).traits(traits).infer(infer_same);
  return op;
}

bool register_all() {
  std::vector<OpDef> ops = {
      float_op("TestRelu", Trait::elementwise | Trait::idempotent),
      float_op("TestNeg", Trait::elementwise | Trait::involution),
      float_op("TestPrint", Trait::host_effect),
      float_op("TestFail", Trait::none),
      float_op("TestShape", Trait::shape_only, DType::int32).infer(infer_shape)};
  register_ops(ops);
  static const rt::Kernel kernels[] = {
      {.op = "TestRelu", .name = "TestRelu/float32", .types = {DType::float32}, .run = run_relu},
      {.op = "TestNeg", .name = "TestNeg/float32", .types = {DType::float32}, .run = run_neg},
      {.op = "TestPrint", .name = "TestPrint/float32", .types = {DType::float32}, .run = run_print},
      {.op = "TestFail", .name = "TestFail/float32", .types = {DType::float32}, .run = run_fail},
      {.op = "TestShape", .name = "TestShape", .run = run_shape},
  };
  register_kernels(kernels);
  return true;
}

}  // namespace

const OpDef& test_op(const char* name) {
  static const bool registered = register_all();
  (void)registered;
  return *find_op(name);
}

Tensor test_call(const char* op, const Tensor& x) {
  return call_op(test_op(op), {x})[0];
}

Printed& printed() {
  static Printed p;
  return p;
}

GraphPtr only(const Graph& graph,
              std::vector<std::string> passes,
              Report* report,
              Options options) {
  for (const std::string& name : pass_names()) {
    if (std::find(passes.begin(), passes.end(), name) == passes.end())
      options.disabled.push_back(name);
  }
  return optimise(graph, options, report);
}

std::string names(const Graph& graph) {
  std::string s;
  for (const Node& n : graph.nodes())
    s += (s.empty() ? "" : " ") + n.name;
  return s;
}

void expect_equivalent(const Graph& a, const Graph& b, std::span<const Tensor> inputs) {
  const std::vector<Tensor> x = graph::replay(a, inputs), y = graph::replay(b, inputs);
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_TRUE(same_bits(x[i], y[i])) << "result " << i << "\n" << print(a) << print(b);
  }
}

}  // namespace weir::passes
