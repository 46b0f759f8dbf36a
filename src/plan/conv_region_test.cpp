#include "plan/graphs_for_test.h"

// Regions whose root is a convolution: their rows are all axes but the last.
namespace weir::plan {
namespace {

struct Convolved {
  Shape image, filter, operand;  // of what is added to the convolution
  Ints strides{1, 1, 1, 1};
};

std::shared_ptr<graph::Graph> convolved(const Convolved& c) {
  return trace({{c.image, DType::float32, "x"},
                {c.filter, DType::float32, "w"},
                {c.operand, DType::float32, "r"}},
               [&](const std::vector<Tensor>& x) {
                 return region(x, [&](const std::vector<Tensor>& x) {
                   const Tensor y = convolution_2d(x[0], x[1], c.strides, "SAME");
                   return std::vector<Tensor>{relu(y + x[2])};
                 });
               });
}

void expect_steps(const Convolved& c, int kernels) {
  const auto g = convolved(c);
  const std::vector<Tensor> in{numbers(c.image), numbers(c.filter, 2), numbers(c.operand, 3)};
  const auto e = planned(g, in);
  EXPECT_EQ(e->kernels_per_call(), kernels) << e->describe();
  expect_same(e->run(in), graph::replay(*g, in));
}

TEST(ConvRegion, AddsABiasOrAResidual) {
  for (const std::int64_t width : {1, 7}) {
    const Shape image{3, 9, width, 5}, filter{3, 3, 5, 20};
    expect_steps({image, filter, {20}}, 1);
    expect_steps({image, filter, {1, 1, 20}}, 1);
    expect_steps({image, filter, {}}, 1);
    expect_steps({image, filter, {3, 9, width, 20}}, 1);
    expect_steps({image, filter, {3, 9, width, 1}}, 1);
  }
  expect_steps({{2, 9, 7, 4}, {3, 3, 4, 6}, {2, 5, 3, 6}, {1, 2, 3, 1}}, 1);
}

TEST(ConvRegion, OperandsThatDoNotWalkByRowsRunApart) {
  const Shape image{3, 9, 7, 5}, filter{3, 3, 5, 20};
  expect_steps({image, filter, {3, 1, 1, 20}}, 2);
  expect_steps({image, filter, {9, 7, 20}}, 2);
}

TEST(ConvRegion, EndsAGradient) {
  for (const bool strided : {false, true}) {
    const Ints strides = strided ? Ints{1, 2, 3, 1} : Ints{1, 1, 1, 1};
    const Shape image{2, 9, 7, 6}, filter{3, 3, 6, 10};
    const Shape dy = strided ? Shape{2, 5, 3, 10} : Shape{2, 9, 7, 10};
    const auto g = trace(
        {{filter, DType::float32, "w"}, {dy, DType::float32, "dy"}, {image, DType::float32, "r"}},
        [&](const std::vector<Tensor>& x) {
          return region(x, [&](const std::vector<Tensor>& x) {
            const Tensor dx =
                convolution_2d_input_gradient({2, 9, 7, 6}, x[0], x[1], strides, "SAME");
            return std::vector<Tensor>{dx * x[2]};
          });
        });
    const std::vector<Tensor> in{numbers(filter), numbers(dy, 2), numbers(image, 3)};
    const auto e = planned(g, in);
    EXPECT_EQ(e->kernels_per_call(), 1) << e->describe();
    expect_same(e->run(in), graph::replay(*g, in));
  }
}

TEST(ConvRegion, EndsAGradientOfMaxPool) {
  for (const std::int64_t stride : {1, 2}) {  // windows that overlap, and that do not
    const Shape image{3, 9, 7, 20};
    const Tensor x = numbers(image);
    const Tensor y = max_pool(x, {1, 2, 2, 1}, {1, stride, stride, 1}, "SAME");
    const auto g = trace({{image, DType::float32, "x"},
                          {y.shape(), DType::float32, "y"},
                          {y.shape(), DType::float32, "dy"}},
                         [&](const std::vector<Tensor>& x) {
                           return region(x, [&](const std::vector<Tensor>& x) {
                             const Tensor dx = max_pool_gradient(
                                 x[0], x[1], x[2], {1, 2, 2, 1}, {1, stride, stride, 1}, "SAME");
                             return std::vector<Tensor>{tanh(dx) * x[0]};
                           });
                         });
    const std::vector<Tensor> in{x, y, numbers(y.shape(), 3)};
    const auto e = planned(g, in);
    EXPECT_EQ(e->kernels_per_call(), 1) << e->describe();
    expect_same(e->run(in), graph::replay(*g, in));
  }
}

}  // namespace
}  // namespace weir::plan
