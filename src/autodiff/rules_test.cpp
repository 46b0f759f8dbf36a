/// Gradients through rules of every kind: rows, decompositions, ops without a rule, ops of the
/// program.
#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/op_def.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <cmath>

namespace weir {
namespace {

std::vector<float> floats(const Tensor& t) {
  const auto d = t.data<float>();
  return {d.begin(), d.end()};
}

std::string message(const auto& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void infer_first(InferContext& c) {
  c.set(0, c.shape(0).to_shape());
}

/// Ops that a program registers; each test process registers them once.
const OpDef& program_op(std::string_view name) {
  static const bool once = [] {
    const auto unary = [](const char* op) {
      return OpDef(op).type("T", kFloating).input("x", "T").output("y", "T").infer(infer_first);
    };
    const OpDef ops[] = {
        unary("TestNoRule").decompose(nullptr),
        unary("TestReadsUnsaved").gradient([](GradientContext& g) {
          g.set(0, g.dy() * g.input(0));
        }),
        unary("TestWrongShape").gradient([](GradientContext& g) {
          g.set(0, Tensor{1.f, 2.f, 3.f, 4.f});
        }),
        unary("TestGivesNone").gradient([](GradientContext&) {}),
        OpDef("TestCube")
            .type("T", kFloating)
            .input("x", "T")
            .input("y", "T")
            .output("z", "T")
            .infer(infer_first)
            .decompose([](std::span<const Tensor> in, std::span<const rt::Attr>) {
              return std::vector<Tensor>{in[0] * in[0] * in[1]};
            }),
        unary("TestSame").decompose([](std::span<const Tensor> in, std::span<const rt::Attr>) {
          return std::vector<Tensor>{in[0]};
        }),
    };
    register_ops(ops);
    static const auto copy = [](const rt::KernelCall& c) -> Status {
      for (std::int64_t i = 0; i < c.in[0].size(); ++i)
        c.out[0].as<float>()[i] = c.in[0].as<float>()[i];
      return {};
    };
    static const rt::Kernel kernels[] = {
        {.op = "TestNoRule", .name = "TestNoRule/float32", .types = {DType::float32}, .run = copy},
        {.op = "TestReadsUnsaved",
         .name = "TestReadsUnsaved/float32",
         .types = {DType::float32},
         .run = copy},
        {.op = "TestWrongShape",
         .name = "TestWrongShape/float32",
         .types = {DType::float32},
         .run = copy},
        {.op = "TestGivesNone",
         .name = "TestGivesNone/float32",
         .types = {DType::float32},
         .run = copy}};
    register_kernels(kernels);
    return true;
  }();
  (void)once;
  return *find_op(name);
}

Tensor run(std::string_view op, OperandList inputs) {
  return call_op(program_op(op), inputs)[0];
}

TEST(Rules, AMissingRuleIsAnErrorOfTheBackwardPass) {
  const Tensor x{1.f, 2.f};
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = run("TestNoRule", {x});
  EXPECT_EQ(floats(tape.gradient(x * 2, x)), (std::vector<float>{2, 2}));
  const std::string text = message([&] { tape.gradient(y, x); });
  EXPECT_PRED2(contains, text, "TestNoRule: no gradient is registered");
  EXPECT_PRED2(contains, text, "rules_test.cpp");
}

TEST(Rules, ReadingAnUnsavedInputIsAnErrorOfTheRule) {
  const Tensor x{1.f, 2.f};
  GradientTape tape;
  tape.watch(x);
  const Tensor y = run("TestReadsUnsaved", {x});
  EXPECT_PRED2(contains,
               message([&] { tape.gradient(y, x); }),
               "TestReadsUnsaved: its gradient reads input 0");
}

TEST(Rules, AGradientOfAnotherShapeIsAnErrorOfTheRule) {
  const Tensor x{1.f, 2.f};
  GradientTape tape;
  tape.watch(x);
  const Tensor y = run("TestWrongShape", {x});
  EXPECT_PRED2(contains,
               message([&] { tape.gradient(y, x); }),
               "TestWrongShape: the gradient of input 0 (x) does not fit");
}

TEST(Rules, ARuleThatGivesNoneIsExplained) {
  const Tensor x{1.f, 2.f};
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = run("TestGivesNone", {x}) * 2;
  EXPECT_FALSE(tape.gradient(y, x).defined());
  EXPECT_PRED2(contains, tape.explain(y, x), "the gradient rule of TestGivesNone (");
}

TEST(Rules, DecompositionsAreDifferentiated) {
  const Tensor x = 3.f, y = 5.f;
  GradientTape outer;
  outer.watch(x);
  GradientTape tape;
  tape.watch(x);
  tape.watch(y);
  const Tensor z = run("TestCube", {x, y});
  const auto g = tape.gradient({z}, {x, y});
  EXPECT_EQ(g[0].item<float>(), 30);
  EXPECT_EQ(g[1].item<float>(), 9);
  EXPECT_EQ(outer.gradient(g[0], x).item<float>(), 10);
}

TEST(Rules, DecompositionsTellEqualInputsApart) {
  const Tensor x = 3.f;
  GradientTape outer;
  outer.watch(x);
  GradientTape tape;
  tape.watch(x);
  const Tensor g = tape.gradient(run("TestCube", {x, x}), x);
  EXPECT_EQ(g.item<float>(), 27);
  EXPECT_EQ(outer.gradient(g, x).item<float>(), 18);
}

TEST(Rules, AnInputHandedThroughIsANewValue) {
  const Tensor x = 3.f;
  GradientTape tape;
  tape.watch(x);
  const Tensor before = x * x;
  const Tensor y = run("TestSame", {x});
  EXPECT_EQ(tape.gradient(before + y * x, x).item<float>(), 12);
}

TEST(Rules, StopGradientCuts) {
  const Tensor x = 3.f;
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = stop_gradient(x * 2);
  EXPECT_EQ(tape.gradient(y * x, x).item<float>(), 6);
  EXPECT_FALSE(tape.gradient(y, x).defined());
  EXPECT_PRED2(contains, tape.explain(y * 3, x), "no gradient passes through StopGradient (");
  EXPECT_PRED2(contains, tape.explain(y * 3, x), "comes from it by Mul (");
}

TEST(Rules, ExplainNamesIntegersOnThePath) {
  const Tensor x{1.5f, 2.5f};
  GradientTape tape;
  tape.watch(x);
  const Tensor y = cast(cast(x, DType::int32), DType::float32) * 2;
  EXPECT_FALSE(tape.gradient(y, x).defined());
  EXPECT_PRED2(contains, tape.explain(y, x), "makes int32");
}

// -- rows --

TEST(Rows, GatherGivesRowsAndTheirSumAddsDuplicates) {
  Variable table(Tensor::zeros({4, 2}), "table");
  GradientTape tape({.persistent = true});
  const Tensor a = gather(table, Tensor{1, 3, 1}), b = gather(table, Tensor{std::int64_t{3}});
  const Tensor y = sum(a) + sum(b) * 10;
  const std::vector<Gradient> g = tape.gradients({y}, {table});
  EXPECT_FALSE(g[0].dense.defined());
  EXPECT_EQ(g[0].slices.values.shape(), (Shape{4, 2}));
  EXPECT_EQ(g[0].slices.shape, (Shape{4, 2}));
  EXPECT_EQ(floats(g[0].to_tensor()), (std::vector<float>{0, 0, 2, 2, 0, 0, 11, 11}));
  EXPECT_EQ(floats(tape.gradient(y, table)), floats(g[0].to_tensor()));
}

TEST(Rows, SumWithADenseGradient) {
  Variable table(Tensor::zeros({3, 2}), "table");
  GradientTape tape;
  const Tensor read = table;
  const Tensor y = sum(gather(read, Tensor{2, 2})) + sum(read * 5);
  EXPECT_EQ(floats(tape.gradient(y, table)), (std::vector<float>{5, 5, 5, 5, 7, 7}));
}

TEST(Rows, OfAnIntermediateAreMadeDense) {
  const Tensor x = Tensor::ones({3, 2});
  GradientTape tape;
  tape.watch(x);
  EXPECT_EQ(floats(tape.gradient(sum(gather(x * 2, Tensor{0, 0})), x)),
            (std::vector<float>{4, 4, 0, 0, 0, 0}));
}

// -- the jacobian --

TEST(Jacobian, StacksTheGradients) {
  const Tensor x{1.f, 2.f, 3.f}, w{{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}};
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = matmul(w, reshape(x * x, {3, 1}));
  const Tensor j = tape.jacobian(y, x);
  EXPECT_EQ(j.shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(floats(j), (std::vector<float>{2, 8, 18, 8, 20, 36}));
  EXPECT_FALSE(tape.jacobian(y, w).defined());
  EXPECT_EQ(tape.jacobian(reshape(slice(x * 2, {0}, {0}), {0}), x).shape(), (Shape{0, 3}));
}

TEST(Jacobian, OfABatch) {
  const Tensor x{{1.f, 2.f}, {3.f, 4.f}};
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x;
  EXPECT_EQ(floats(tape.batch_jacobian(y, x)), (std::vector<float>{2, 0, 0, 4, 6, 0, 0, 8}));
  EXPECT_PRED2(contains, message([&] { tape.batch_jacobian(sum(y, 0), x); }), "[2] and [2, 2]");
}

TEST(Jacobian, CountsAsTheOneUse) {
  const Tensor x{1.f, 2.f};
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x;
  EXPECT_EQ(floats(tape.jacobian(y, x)), (std::vector<float>{2, 0, 0, 4}));
  EXPECT_THROW(tape.gradient(y, x), Error);
}

}  // namespace
}  // namespace weir
