#include <gtest/gtest.h>
#include <weir/ops.h>

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

/// (5 i) mod m - o: small whole numbers, so that sums are exact.
Tensor pattern(const Shape& shape, int m = 7, int o = 3) {
  std::vector<float> v;
  for (std::int64_t i = 0; i < shape.size(); ++i)
    v.push_back(float(i * 5 % m - o));
  return Tensor::from(v, shape);
}

std::vector<float> floats(const Tensor& t) {
  const auto d = t.data<float>();
  return {d.begin(), d.end()};
}

const Ints kOne{1, 1, 1, 1}, kTwo{1, 2, 2, 1};

/// Expected numbers here and in the pooling tests were printed by TensorFlow 2.21.
class Conv : public testing::Test {
 protected:
  const Tensor x = pattern({1, 4, 5, 2});
  const Tensor w = pattern({2, 3, 2, 2}, 5, 2);
};

TEST_F(Conv, SameAndValidPaddingMatchTensorFlow) {
  EXPECT_EQ(floats(convolution_2d(x, w, kOne, "SAME")),
            (std::vector<float>{4,  4,  -2, -2, 10, 10, -6, -6, 0, 0, 2,   2,   2, 2,
                                0,  0,  -2, -2, -2, -2, 0,  0,  6, 6, -10, -10, 2, 2,
                                -4, -4, -4, -4, 4,  4,  -4, -4, 2, 2, -6,  -6}));
  const Tensor y = convolution_2d(x, w, kTwo, "VALID");
  EXPECT_EQ(y.shape(), (Shape{1, 2, 2, 2}));
  EXPECT_EQ(floats(y), (std::vector<float>{-2, -2, -6, -6, 6, 6, 2, 2}));
  EXPECT_EQ(floats(convolution_2d(x, w, kTwo, "SAME")),
            (std::vector<float>{4, 4, 10, 10, 0, 0, 0, 0, -10, -10, -4, -4}));
}

TEST_F(Conv, DilationsMatchTensorFlow) {
  EXPECT_EQ(
      floats(convolution_2d(x, w, kOne, "SAME", Ints(std::vector<std::int64_t>{}), "NHWC", kTwo)),
      (std::vector<float>{0,  0,  4, 4, -8,  -8,  4,  4,  -6, -6, 0, 0, 8,  8,
                          -2, -2, 8, 8, -12, -12, 12, 12, -8, -8, 2, 2, -8, -8,
                          0,  0,  6, 6, -4,  -4,  8,  8,  -4, -4, 0, 0}));
}

TEST_F(Conv, GradientsMatchTensorFlow) {
  const Tensor dy = pattern({1, 2, 2, 2}, 3, 1);
  const Tensor dx = convolution_2d_input_gradient({1, 4, 5, 2}, w, dy, kTwo, "VALID");
  EXPECT_EQ(floats(dx), (std::vector<float>{0, 0, 0,  0,  2,  2,  2,  2,  2,  2,  0,  0,  0, 0,
                                            2, 2, 2,  2,  2,  2,  -2, -2, -2, -2, -2, -2, 0, 0,
                                            0, 0, -2, -2, -2, -2, -2, -2, 0,  0,  0,  0}));
  const Tensor dw = convolution_2d_filter_gradient({2, 3, 2, 2}, x, dy, kTwo, "VALID");
  EXPECT_EQ(floats(dw), (std::vector<float>{4, -8, -8, 4,  1, 2, 3, 0, -2, -2, 0,  3,
                                            3, 0,  -2, -2, 0, 3, 2, 1, 4,  -8, -8, 4}));
  const Tensor same =
      convolution_2d_filter_gradient({2, 3, 2, 2}, x, pattern({1, 4, 5, 2}, 3, 1), kOne, "SAME");
  EXPECT_EQ(floats(same), (std::vector<float>{-2, 5, -2, 0, -1, 0,  1, 0,  2,  0, -3, 5,
                                              1,  1, 1,  1, 2,  -8, 2, -1, -6, 5, -6, -2}));
}

TEST_F(Conv, ExplicitPaddingIsWhatPadGives) {
  const Tensor y = convolution_2d(Tensor::ones({1, 1, 1, 1}),
                                  Tensor::ones({2, 2, 1, 1}),
                                  kOne,
                                  "EXPLICIT",
                                  {0, 0, 1, 0, 0, 2, 0, 0});
  EXPECT_EQ(y.shape(), (Shape{1, 1, 2, 1}));
  EXPECT_EQ(floats(y), (std::vector<float>{1, 0}));
}

TEST_F(Conv, GroupsAreSeparateConvolutions) {
  const Tensor image{{{{1.f, 2.f, 3.f, 4.f}}}};        // one cell, four channels
  const Tensor filter{{{{1.f, 10.f}, {1.f, 100.f}}}};  // two channels in, one out for each group
  EXPECT_EQ(floats(convolution_2d(image, filter, kOne, "VALID")), (std::vector<float>{3, 430}));
}

TEST_F(Conv, DepthwiseMatchesTensorFlow) {
  const Tensor y = depthwise_convolution_2d(x, pattern({2, 2, 2, 2}, 5, 2), kOne, "SAME");
  EXPECT_EQ(y.shape(), (Shape{1, 4, 5, 4}));
  const auto v = floats(y);
  EXPECT_EQ(std::vector<float>(v.begin(), v.begin() + 16),
            (std::vector<float>{8, 8, -4, -4, -2, -2, 0, 0, 2, 2, 4, 4, -8, -8, 8, 8}));
  EXPECT_EQ(std::vector<float>(v.end() - 8, v.end()),
            (std::vector<float>{0, 0, -6, -6, 4, 4, -6, -6}));
}

TEST_F(Conv, EveryDtypeComputes) {
  for (DType t : {DType::float64, DType::float16, DType::bfloat16}) {
    const Tensor y =
        convolution_2d(Tensor::ones({1, 2, 2, 2}, t), Tensor::ones({2, 2, 2, 1}, t), kOne, "VALID");
    EXPECT_EQ(y.item<float>(), 8);
  }
}

/// Geometries that take every path of the fast kernel: blocks, borders, groups, direct products.
struct Geometry {
  Shape input, filter;
  Ints strides;
  const char* padding;
  Ints dilations;
};
const Geometry kGeometries[] = {
    {{2, 20, 21, 16}, {3, 3, 16, 24}, kOne, "SAME", kOne},
    {{3, 9, 8, 5}, {3, 2, 5, 7}, kTwo, "VALID", kOne},
    {{1, 15, 14, 3}, {7, 7, 3, 8}, kTwo, "SAME", kOne},
    {{2, 12, 13, 8}, {1, 1, 8, 40}, kOne, "VALID", kOne},
    {{2, 12, 13, 8}, {1, 1, 8, 4}, kTwo, "SAME", kOne},
    {{1, 14, 13, 4}, {3, 3, 4, 6}, kOne, "SAME", {1, 2, 3, 1}},
    {{2, 10, 10, 12}, {3, 3, 4, 9}, kOne, "SAME", kOne},
    {{1, 40, 40, 1}, {5, 5, 1, 1}, kOne, "SAME", kOne},
    {{1, 6, 6, 150}, {3, 3, 150, 10}, kOne, "SAME", kOne},
};

/// Bounded by the rounding of a sum in float32.
void expect_close(const Tensor& fast, const Tensor& exact) {
  ASSERT_EQ(fast.shape(), exact.shape());
  const auto a = fast.data<float>();
  const auto b = exact.data<double>();
  double largest = 1;
  for (double v : b)
    largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 2e-6 * largest) << "at " << i;
}

Tensor noise(const Shape& shape, std::int64_t seed) {
  return stateless_normal(shape, Tensor{seed, std::int64_t(0)});
}
Tensor wide(const Tensor& t) {
  return cast(t, DType::float64);
}

TEST(ConvKernel, AgreesWithFloat64) {
  for (const Geometry& g : kGeometries) {
    SCOPED_TRACE(g.input.to_string() + " " + g.filter.to_string());
    const Ints none(std::vector<std::int64_t>{});
    const Tensor x = noise(g.input, 1), w = noise(g.filter, 2);
    const Tensor y = convolution_2d(x, w, g.strides, g.padding, none, "NHWC", g.dilations);
    expect_close(y,
                 convolution_2d(wide(x), wide(w), g.strides, g.padding, none, "NHWC", g.dilations));
    const Tensor dy = noise(y.shape(), 3);
    expect_close(convolution_2d_input_gradient(
                     g.input, w, dy, g.strides, g.padding, none, "NHWC", g.dilations),
                 convolution_2d_input_gradient(
                     g.input, wide(w), wide(dy), g.strides, g.padding, none, "NHWC", g.dilations));
    expect_close(convolution_2d_filter_gradient(
                     g.filter, x, dy, g.strides, g.padding, none, "NHWC", g.dilations),
                 convolution_2d_filter_gradient(
                     g.filter, wide(x), wide(dy), g.strides, g.padding, none, "NHWC", g.dilations));
  }
}

Tensor image(const Tensor& batch, std::int64_t i) {
  const std::int64_t n = batch.size() / batch.dim(0);
  return Tensor::from(batch.data<float>().subspan(std::size_t(i * n), std::size_t(n)),
                      Shape{1, batch.dim(1), batch.dim(2), batch.dim(3)});
}

TEST(ConvKernel, ResultOfAnImageDoesNotDependOnItsBatch) {
  const Tensor x = noise({5, 13, 11, 6}, 1), w = noise({3, 3, 6, 10}, 2),
               dy = noise({5, 13, 11, 10}, 3);
  const auto y = floats(convolution_2d(x, w, kOne, "SAME"));
  const auto dx = floats(convolution_2d_input_gradient({5, 13, 11, 6}, w, dy, kOne, "SAME"));
  for (int i = 0; i < 5; ++i) {
    const auto one = floats(convolution_2d(image(x, i), w, kOne, "SAME"));
    EXPECT_TRUE(std::equal(one.begin(), one.end(), y.begin() + i * std::ptrdiff_t(one.size())));
    const auto d =
        floats(convolution_2d_input_gradient({1, 13, 11, 6}, w, image(dy, i), kOne, "SAME"));
    EXPECT_TRUE(std::equal(d.begin(), d.end(), dx.begin() + i * std::ptrdiff_t(d.size())));
  }
}

TEST_F(Conv, EmptyBatch) {
  EXPECT_EQ(convolution_2d(Tensor::zeros({0, 4, 5, 2}), w, kOne, "SAME").shape(),
            (Shape{0, 4, 5, 2}));
  const Tensor dw = convolution_2d_filter_gradient(
      {2, 3, 2, 2}, Tensor::zeros({0, 4, 5, 2}), Tensor::zeros({0, 4, 5, 2}), kOne, "SAME");
  EXPECT_EQ(floats(dw), std::vector<float>(24, 0.f));
}

std::string message(auto&& body) {
  try {
    body();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::invalid_argument);
    return e.what();
  }
  return "no error";
}

void expect_error(const char* text, auto&& body) {
  const std::string m = message(body);
  EXPECT_NE(m.find(text), std::string::npos) << m;
}

TEST_F(Conv, BadAttributesAreErrors) {
  const Ints far{1, INT64_MAX, 1, 1};
  expect_error("reaches too far", [&] { convolution_2d(x, w, far, "SAME"); });
  expect_error("reaches too far", [&] {
    convolution_2d(x, w, {1, 1, 1, 1}, "SAME", {}, "NHWC", far);
  });
  expect_error("strides must be positive", [&] { convolution_2d(x, w, {1, 0, 1, 1}, "SAME"); });
  expect_error("strides of batch and channels must be 1", [&] {
    convolution_2d(x, w, {2, 1, 1, 1}, "SAME");
  });
  expect_error("strides must be a list of four", [&] { convolution_2d(x, w, {1, 1}, "SAME"); });
  expect_error("dilations must be positive", [&] {
    convolution_2d(x, w, kOne, "SAME", std::vector<std::int64_t>{}, "NHWC", {1, -1, 1, 1});
  });
  expect_error("padding has an unknown value", [&] { convolution_2d(x, w, kOne, "same"); });
  expect_error("data_format has an unknown value",
               [&] { convolution_2d(x, w, kOne, "SAME", std::vector<std::int64_t>{}, "NCHW"); });
  expect_error("explicit_paddings must be a list of eight", [&] {
    convolution_2d(x, w, kOne, "EXPLICIT", {1, 1});
  });
}

TEST_F(Conv, ShapesThatDoNotFitAreErrors) {
  expect_error("negative dimension size", [&] {
    convolution_2d(x, Tensor::zeros({5, 3, 2, 2}), kOne, "VALID");
  });
  expect_error("the filter is empty", [&] {
    convolution_2d(x, Tensor::zeros({0, 3, 2, 2}), kOne, "SAME");
  });
  expect_error("must be a multiple of the filter's", [&] {
    convolution_2d(x, Tensor::zeros({2, 3, 3, 2}), kOne, "SAME");
  });
  expect_error("wrong rank", [&] { convolution_2d(Tensor::zeros({4, 5, 2}), w, kOne, "SAME"); });
  expect_error("wrong shape", [&] {
    convolution_2d_input_gradient({1, 4, 5, 2}, w, Tensor::zeros({1, 3, 3, 2}), kTwo, "VALID");
  });
}

TEST(Pool, MatchesTensorFlow) {
  const Tensor x = pattern({1, 4, 5, 2});
  std::vector<float> negative = floats(x);
  for (float& v : negative)
    v = -std::abs(v) - 1;
  const Ints three{1, 3, 3, 1};
  // Padding never wins, although every value is negative.
  EXPECT_EQ(floats(max_pool(Tensor::from(negative, x.shape()), three, kTwo, "SAME")),
            (std::vector<float>{-1, -1, -1, -1, -1, -1, -1, -1, -2, -1, -2, -1}));
  const auto average = floats(avg_pool(x, three, kTwo, "SAME"));
  const std::vector<float> expected{
      -0.5f, -1 / 6.f, 1 / 9.f, -1 / 3.f, 1 / 3.f, -0.5f, 1, -1, 5 / 6.f, 0, -0.5f, 1};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(average[i], expected[i], 1e-6f);
}

TEST(Pool, GradientsMatchTensorFlow) {
  const Tensor x = pattern({1, 4, 5, 2});
  const Tensor y = max_pool(x, kTwo, kOne, "VALID");
  EXPECT_EQ(floats(max_pool_gradient(x, y, pattern({1, 3, 4, 2}, 3, 1), kTwo, kOne, "VALID")),
            (std::vector<float>{0, 0, 0, 0, 1, 0, 0,  0, 0, 0,  0, 0, -1, 0, 0, -1, 0, 0, -1, 1,
                                0, 0, 1, 0, 0, 1, -1, 0, 0, -1, 0, 0, 0,  0, 0, 0,  1, 0, 0,  0}));
  const auto dx = floats(
      avg_pool_gradient({1, 4, 5, 2}, pattern({1, 2, 3, 2}, 3, 1), {1, 3, 3, 1}, kTwo, "SAME"));
  EXPECT_NEAR(dx[0], -1 / 6.f, 1e-6f);
  EXPECT_NEAR(dx[3], 0.0555556f, 1e-6f);
  EXPECT_NEAR(dx[20], -0.416667f, 1e-6f);
}

TEST(Pool, SecondGradientPicksWhereTheMaximumWas) {
  const Tensor x{{{{1.f}, {5.f}}, {{2.f}, {5.f}}}};
  const Tensor y = max_pool(x, kTwo, kTwo);
  EXPECT_EQ(floats(max_pool_second_gradient(
                x, y, Tensor{{{{10.f}, {20.f}}, {{30.f}, {40.f}}}}, kTwo, kTwo)),
            std::vector<float>{20});
}

TEST(Pool, IntegersAndNan) {
  const Tensor y = max_pool(Tensor{{{{-5}, {-3}}, {{-4}, {-7}}}}, kTwo, kTwo);
  EXPECT_EQ(y.item<int>(), -3);
  const Tensor z = max_pool(Tensor{{{{1.f}, {NAN}}, {{2.f}, {3.f}}}}, kTwo, kTwo);
  EXPECT_NE(z.item<float>(), z.item<float>());
}

TEST(Pool, BadWindowsAreErrors) {
  const Tensor x = pattern({1, 4, 5, 2});
  expect_error("negative dimension size", [&] { max_pool(x, {1, 5, 1, 1}, kOne, "VALID"); });
  expect_error("ksize of batch and channels must be 1", [&] {
    max_pool(x, {1, 1, 1, 2}, kOne, "VALID");
  });
  expect_error("ksize must be positive", [&] { avg_pool(x, {1, 0, 1, 1}, kOne, "VALID"); });
  expect_error("wrong shape", [&] {
    avg_pool_gradient({1, 4, 5, 2}, Tensor::zeros({1, 4, 5, 1}), kOne, kOne);
  });
}

}  // namespace
}  // namespace weir
