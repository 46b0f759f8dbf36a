/// The memory of a training step is known before it runs.
#include <gtest/gtest.h>
#include <weir/function.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/math.h>
#include <weir/ops/nn.h>

namespace weir {
namespace {

/// Bytes that the call asks the allocator for beyond what is held before it, at its peak.
template <class Call>
std::int64_t counted_peak(const Call& call) {
  const std::int64_t before = memory_stats().requested;
  reset_peak_memory();
  call();
  return memory_stats().requested_peak - before;
}

TEST(Peak, OfATrainingStepIsWhatThePlanSays_ToTheByte) {
  const Variable w1(Tensor::full({50, 70}, 0.01F), "w1"), b1(Tensor::zeros({70}), "b1");
  const Variable w2(Tensor::full({70, 11}, 0.02F), "w2"), b2(Tensor::zeros({11}), "b2");
  const auto step = function([=](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor h = relu(matmul(x, w1) + b1);
    const Tensor error = softmax(matmul(h, w2) + b2) - y;
    const Tensor loss = mean(square(error));
    const std::vector<Variable> variables{w1, b1, w2, b2};
    const std::vector<Tensor> gradients = tape.gradient(loss, variables);
    for (std::size_t i = 0; i < variables.size(); ++i)
      variables[i].assign_sub(gradients[i] * 0.1F);
    return std::vector<Tensor>{loss, h};
  });
  const Tensor x = Tensor::full({33, 50}, 0.5F), y = Tensor::zeros({33, 11});
  const ConcreteFunction f = step.get_concrete_function(TensorSpec{{33, 50}}, TensorSpec{{33, 11}});
  const std::int64_t planned = f.planned_peak_bytes();
  EXPECT_GT(planned, 33 * 70 * 4) << "at least the result";
  const std::vector<Tensor> arguments{x, y};
  EXPECT_EQ(counted_peak([&] { f(arguments); }), planned) << f.plan_text();
  EXPECT_LT(counted_peak([&] { f(arguments); }), planned) << "the arena is kept";
}

}  // namespace
}  // namespace weir
