/// The op of "Add an op in 20 minutes" (CONTRIBUTING.md), whose blocks are compiled as they stand.
#include <gtest/gtest.h>
#include <weir/gradient_tape.h>
#include <weir/op_def.h>

#include <cmath>

namespace weir {
namespace ops {
OpDef define_log_cosh();
void implement_log_cosh(OpDef& op);
}  // namespace ops
namespace kernels::ref {
rt::KernelTable log_cosh_kernels();
}  // namespace kernels::ref

namespace {

TEST(Contributing, TheOpOfTheExampleWorks) {
  OpDef op = ops::define_log_cosh();
  ops::implement_log_cosh(op);
  register_ops({&op, 1});
  const rt::KernelTable table = kernels::ref::log_cosh_kernels();
  register_kernels({table.data, table.size});

  const Tensor x{-2.f, 0.f, 0.5f, 100.f};
  GradientTape tape;
  tape.watch(x);
  const Tensor y = call_op(*find_op("LogCosh"), {x}, {})[0];
  const Tensor dx = tape.gradient(y, x);
  const double expected[] = {
      std::log(std::cosh(2.0)), 0, std::log(std::cosh(0.5)), 100 - std::log(2.0)};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(y.data<float>()[i], expected[i], 1e-5);
    EXPECT_NEAR(dx.data<float>()[i], std::tanh(double(x.data<float>()[i])), 1e-5);
  }
}

}  // namespace
}  // namespace weir
