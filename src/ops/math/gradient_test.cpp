/// First and second derivatives of the ops of this folder against central differences in float64,
/// and the conventions at kinks and ties.
#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <cmath>
#include <complex>
#include <limits>

namespace weir {
namespace {

using Function = Tensor (*)(const Tensor&);

struct Case {
  const char* name;
  Function f;
  double low, high;  // range of the elements of x, of shape [2, 3]
};

Tensor points(double low, double high, const Shape& shape, unsigned seed) {
  std::vector<double> v;
  std::uint32_t state = seed * 7919 + 1;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    v.push_back(low + (high - low) * (double(state >> 8) / (1 << 24)));
  }
  return Tensor::from(v, shape);
}

/// A scalar that weighs every element of y differently.
Tensor weigh(const Tensor& y, unsigned seed) {
  return sum(y * points(0.5, 1.5, y.shape(), seed));
}

Tensor gradient(Function f, const Tensor& x) {
  GradientTape tape;
  tape.watch(x);
  return tape.gradient(weigh(f(x), 1), x, UnconnectedGradients::zero);
}

/// The derivative of a weighted sum of the gradient.
Tensor second_gradient(Function f, const Tensor& x) {
  GradientTape outer;
  outer.watch(x);
  return outer.gradient(weigh(gradient(f, x), 2), x, UnconnectedGradients::zero);
}

Tensor moved(const Tensor& x, std::int64_t i, double by) {
  const auto d = x.data<double>();
  std::vector<double> v(d.begin(), d.end());
  v[std::size_t(i)] += by;
  return Tensor::from(v, x.shape());
}

template <class Scalar>
void expect_derivative(const Tensor& x, const Tensor& got, Scalar scalar, const char* what) {
  constexpr double kStep = 1e-5;
  ASSERT_EQ(got.shape(), x.shape()) << what;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const double want = (scalar(moved(x, i, kStep)) - scalar(moved(x, i, -kStep))) / (2 * kStep);
    EXPECT_NEAR(got.data<double>()[std::size_t(i)], want, 2e-6 + 1e-5 * std::fabs(want))
        << what << ", element " << i;
  }
}

const Tensor& partner() {
  static const Tensor t = points(0.7, 1.9, {2, 3}, 5);
  return t;
}
const Tensor& column() {
  static const Tensor t = points(0.7, 1.9, {4, 2, 1}, 6);
  return t;
}
const Tensor& mask() {
  static const Tensor t{{true, false, true}, {false, true, true}};
  return t;
}

const Case kCases[] = {
    {"add", [](const Tensor& x) { return x + column(); }, -2, 2},
    {"subtract", [](const Tensor& x) { return column() - x; }, -2, 2},
    {"multiply", [](const Tensor& x) { return x * column() * x; }, -2, 2},
    {"divide", [](const Tensor& x) { return x / column(); }, -2, 2},
    {"divide by", [](const Tensor& x) { return column() / x; }, 0.5, 2},
    {"divide_no_nan",
     [](const Tensor& x) { return divide_no_nan(partner(), x) + divide_no_nan(x, partner()); },
     0.5,
     2},
    {"multiply_no_nan", [](const Tensor& x) { return multiply_no_nan(x, x); }, 0.5, 2},
    {"squared_difference", [](const Tensor& x) { return squared_difference(x, column()); }, -2, 2},
    {"maximum", [](const Tensor& x) { return maximum(x * x, partner()); }, 0.5, 2},
    {"minimum", [](const Tensor& x) { return minimum(partner(), x * x); }, 0.5, 2},
    {"negative", [](const Tensor& x) { return -x * x; }, -2, 2},
    {"abs", [](const Tensor& x) { return abs(x) * x; }, -2, -0.5},
    {"square", [](const Tensor& x) { return square(x); }, -2, 2},
    {"reciprocal", [](const Tensor& x) { return reciprocal(x); }, 0.5, 2},
    {"floormod",
     [](const Tensor& x) { return floormod(x * x, 100.0) * floormod(100.0, x); },
     41,
     49},
    {"truncatemod",
     [](const Tensor& x) { return truncatemod(x * x, 3000.0) * truncatemod(100.0, x); },
     41,
     49},
    {"add_n",
     [](const Tensor& x) {
       return add_n({x, x * x, partner()});
     },
     -2,
     2},
    {"sqrt", [](const Tensor& x) { return sqrt(x); }, 0.5, 2},
    {"rsqrt", [](const Tensor& x) { return rsqrt(x); }, 0.5, 2},
    {"exp", [](const Tensor& x) { return exp(x); }, -2, 2},
    {"expm1", [](const Tensor& x) { return expm1(x); }, -2, 2},
    {"log", [](const Tensor& x) { return log(x); }, 0.5, 2},
    {"log1p", [](const Tensor& x) { return log1p(x); }, -0.5, 2},
    {"sigmoid", [](const Tensor& x) { return sigmoid(x); }, -3, 3},
    {"tanh", [](const Tensor& x) { return tanh(x); }, -2, 2},
    {"sinh", [](const Tensor& x) { return sinh(x); }, -2, 2},
    {"cosh", [](const Tensor& x) { return cosh(x); }, -2, 2},
    {"erf", [](const Tensor& x) { return erf(x); }, -2, 2},
    {"erfc", [](const Tensor& x) { return erfc(x); }, -2, 2},
    {"pow, base", [](const Tensor& x) { return pow(x, column()); }, 0.5, 2},
    {"pow, exponent", [](const Tensor& x) { return pow(column(), x); }, -2, 2},
    {"sin", [](const Tensor& x) { return sin(x); }, -3, 3},
    {"cos", [](const Tensor& x) { return cos(x); }, -3, 3},
    {"tan", [](const Tensor& x) { return tan(x); }, -1, 1},
    {"asin", [](const Tensor& x) { return asin(x); }, -0.8, 0.8},
    {"acos", [](const Tensor& x) { return acos(x); }, -0.8, 0.8},
    {"atan", [](const Tensor& x) { return atan(x); }, -2, 2},
    {"atan2", [](const Tensor& x) { return atan2(x, column()) + atan2(column(), x); }, 0.5, 2},
    {"asinh", [](const Tensor& x) { return asinh(x); }, -2, 2},
    {"acosh", [](const Tensor& x) { return acosh(x); }, 1.5, 3},
    {"atanh", [](const Tensor& x) { return atanh(x); }, -0.8, 0.8},
    {"where", [](const Tensor& x) { return where(mask(), x * x, exp(x)); }, -2, 2},
    {"where, broadcast",
     [](const Tensor& x) { return where(column() > 1.2, x * x, 2 * x); },
     -2,
     2},
    {"clip", [](const Tensor& x) { return clip_by_value(x * x, 0.5, 2); }, 0.8, 1.3},
    {"clip, bounds",
     [](const Tensor& x) { return clip_by_value(partner(), x * x, x * x + 0.2); },
     0.8,
     1.3},
    {"cast",
     [](const Tensor& x) { return cast(cast(x * x, DType::float64), DType::float64); },
     -2,
     2},
    {"relu", [](const Tensor& x) { return relu(x * x) * x; }, 0.5, 2},
    {"relu6", [](const Tensor& x) { return relu6(x * x) * x; }, 1, 3.5},
    {"elu", [](const Tensor& x) { return elu(x); }, -2, 2},
    {"selu", [](const Tensor& x) { return selu(x); }, -2, -0.1},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.3) * x; }, -2, -0.1},
    {"softplus", [](const Tensor& x) { return softplus(x); }, -3, 3},
    {"softsign", [](const Tensor& x) { return softsign(x); }, -3, -0.2},
    {"silu", [](const Tensor& x) { return silu(x); }, -3, 3},
    {"gelu", [](const Tensor& x) { return gelu(x); }, -3, 3},
    {"gelu, tanh", [](const Tensor& x) { return gelu(x, true); }, -3, 3},
    {"sum", [](const Tensor& x) { return sum(x * x, 0); }, -2, 2},
    {"sum, keepdims", [](const Tensor& x) { return sum(x * x, -1, true) * x; }, -2, 2},
    {"mean", [](const Tensor& x) { return mean(x * x, 1); }, -2, 2},
    {"mean, all", [](const Tensor& x) { return square(mean(x)); }, -2, 2},
    {"prod", [](const Tensor& x) { return prod(x, 1); }, 0.5, 2},
    {"prod, all", [](const Tensor& x) { return prod(x); }, -2, 2},
    {"max", [](const Tensor& x) { return max(x * x, 0); }, 0.5, 2},
    {"min",
     [](const Tensor& x) {
       return min(x * x, {0, 1}, true);
     },
     0.5,
     2},
    {"cumsum", [](const Tensor& x) { return cumsum(x * x, 1, true, true); }, -2, 2},
    {"cumprod", [](const Tensor& x) { return cumprod(x, 1); }, 0.5, 2},
    {"cumprod, reverse", [](const Tensor& x) { return cumprod(x, 0, true, true); }, 0.5, 2},
    {"logsumexp", [](const Tensor& x) { return logsumexp(x, 1); }, -2, 2},
    {"variance", [](const Tensor& x) { return variance(x, 0); }, -2, 2},
    {"norm", [](const Tensor& x) { return norm(x, 1); }, 0.5, 2},
    {"l2_normalize", [](const Tensor& x) { return l2_normalize(x, 1); }, 0.5, 2},
};

TEST(Gradient, FirstDerivatives) {
  for (const Case& c : kCases) {
    const Tensor x = points(c.low, c.high, {2, 3}, 3);
    expect_derivative(
        x,
        gradient(c.f, x),
        [&](const Tensor& t) { return weigh(c.f(t), 1).item<double>(); },
        c.name);
  }
}

TEST(Gradient, SecondDerivatives) {
  for (const Case& c : kCases) {
    const Tensor x = points(c.low, c.high, {2, 3}, 4);
    expect_derivative(
        x,
        second_gradient(c.f, x),
        [&](const Tensor& t) { return weigh(gradient(c.f, t), 2).item<double>(); },
        c.name);
  }
}

std::vector<float> slope(Tensor (*f)(const Tensor&), const Tensor& x) {
  GradientTape tape;
  tape.watch(x);
  const Tensor dx = tape.gradient(f(x), x);
  return {dx.data<float>().begin(), dx.data<float>().end()};
}
using Floats = std::vector<float>;
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(Gradient, KinksFollowTensorFlow) {
  const Tensor zero{0.f};
  EXPECT_EQ(slope([](const Tensor& x) { return relu(x); }, zero), (Floats{0}));
  EXPECT_EQ(slope([](const Tensor& x) { return abs(x); }, zero), (Floats{0}));
  EXPECT_EQ(slope([](const Tensor& x) { return sqrt(x); }, zero), (Floats{kInf}));
  EXPECT_TRUE(std::isnan(slope([](const Tensor& x) { return norm(x); }, zero)[0]));
  EXPECT_EQ(slope(
                [](const Tensor& x) {
                  return maximum(x, Tensor{1.f, 2.f, 3.f});
                },
                {0.f, 2.f, 5.f}),
            (Floats{0, 1, 1}));
  EXPECT_EQ(slope(
                [](const Tensor& x) {
                  return maximum(Tensor{1.f, 2.f, 3.f}, x);
                },
                {0.f, 2.f, 5.f}),
            (Floats{0, 0, 1}));
}

TEST(Gradient, TiesOfMaxShare) {
  EXPECT_EQ(slope([](const Tensor& x) { return max(x); }, {3.f, 1.f, 3.f}),
            (Floats{0.5f, 0, 0.5f}));
  EXPECT_EQ(slope([](const Tensor& x) { return min(x); }, {3.f, 1.f, 1.f}),
            (Floats{0, 0.5f, 0.5f}));
}

TEST(Gradient, WhereDoesNotHideNan) {
  const Floats dx = slope([](const Tensor& x) { return where(x > 0, sqrt(x), 0); }, {4.f, 0.f});
  EXPECT_EQ(dx[0], 0.25f);
  EXPECT_TRUE(std::isnan(dx[1]));
}

TEST(Gradient, ProductsWithZeros) {
  EXPECT_EQ(slope([](const Tensor& x) { return prod(x); }, {2.f, 0.f, 3.f}), (Floats{0, 6, 0}));
  EXPECT_EQ(slope([](const Tensor& x) { return prod(x); }, {0.f, 0.f, 3.f}), (Floats{0, 0, 0}));
}

TEST(Gradient, ReducesBackToZeroSizedShapes) {
  const Tensor x = Tensor::zeros({0, 3});
  GradientTape tape;
  tape.watch(x);
  EXPECT_EQ(tape.gradient(mean(x * Tensor{1.f, 2.f, 3.f}), x).shape(), (Shape{0, 3}));
}

TEST(Gradient, OfComplexNumbersIsConjugate) {
  using C = std::complex<float>;
  const Tensor x(C(1, 2)), y(C(3, -1));
  GradientTape tape({.persistent = true});
  tape.watch(x);
  EXPECT_EQ(tape.gradient(x * y, x).item<C>(), C(3, 1));
  EXPECT_EQ(tape.gradient(square(x), x).item<C>(), C(2, -4));
}

TEST(Gradient, DoesNotPassIntegers) {
  const Tensor x{1.5f, 2.5f};
  GradientTape tape({.persistent = true});
  tape.watch(x);
  EXPECT_FALSE(tape.gradient(cast(cast(x, DType::int32), DType::float32), x).defined());
  EXPECT_FALSE(tape.gradient(floor(x), x).defined());
  EXPECT_EQ(tape.gradient(cast(x, DType::float64) * 3, x).dtype(), DType::float32);
}

}  // namespace
}  // namespace weir
