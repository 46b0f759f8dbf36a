#include <gtest/gtest.h>
#include <weir/op_def.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

namespace weir {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <class T>
std::vector<T> values(const Tensor& t) {
  const auto d = t.data<T>();
  return {d.begin(), d.end()};
}

/// Equal, NaN with NaN, zeros with their sign.
void expect_same(const Tensor& got, const std::vector<float>& want) {
  const auto v = got.data<float>();
  ASSERT_EQ(v.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(want[i])) {
      EXPECT_TRUE(std::isnan(v[i])) << i;
    } else {
      EXPECT_EQ(v[i], want[i]) << i;
      EXPECT_EQ(std::signbit(v[i]), std::signbit(want[i])) << i;
    }
  }
}

void expect_near(const Tensor& got, const std::vector<float>& want) {
  const auto v = got.data<float>();
  ASSERT_EQ(v.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(v[i], want[i], 1e-6f * (1 + std::fabs(want[i]))) << i;
}

template <class F>
ErrorInfo error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.info();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(Elementwise, BroadcastsFromTheRight) {
  const Tensor column{{1.f}, {2.f}};
  EXPECT_EQ(values<float>(column * Tensor{10.f, 20.f, 30.f}),
            (std::vector<float>{10, 20, 30, 20, 40, 60}));
  EXPECT_EQ((Tensor::zeros({0}) + Tensor::zeros({1})).shape(), (Shape{0}));
  const ErrorInfo e = error_of([] { Tensor{1.f, 2.f} - Tensor{1.f, 2.f, 3.f}; });
  EXPECT_EQ(e.what, "Sub: incompatible shapes: [2] vs. [3]");
  EXPECT_EQ(e.code, Code::invalid_argument);
}

TEST(Elementwise, ZeroSizedOperandsGiveZeroSizedResults) {
  EXPECT_EQ(exp(Tensor::zeros({0, 3})).shape(), (Shape{0, 3}));
  EXPECT_EQ(floor_divide(Tensor::zeros({0}, DType::int32), Tensor{0}).size(), 0);
  EXPECT_EQ((Tensor::zeros({2, 0}) == Tensor::zeros({2, 1})).shape(), (Shape{2, 0}));
}

TEST(Elementwise, IntegersWrap) {
  EXPECT_EQ((Tensor{INT32_MAX} + 1).item<std::int32_t>(), INT32_MIN);
  EXPECT_EQ((-Tensor{INT32_MIN}).item<std::int32_t>(), INT32_MIN);
  EXPECT_EQ(abs(Tensor{INT32_MIN}).item<std::int32_t>(), INT32_MIN);
  EXPECT_EQ((Tensor(std::uint8_t{200}) * 2).item<std::uint8_t>(), 144);
  EXPECT_EQ(floor_divide(Tensor{INT32_MIN}, -1).item<std::int32_t>(), INT32_MIN);
  EXPECT_EQ(square(Tensor(std::int8_t{-128})).item<std::int8_t>(), 0);
}

TEST(Elementwise, IntegerDivisionByZeroIsAnError) {
  const Tensor a{1, 2}, b{1, 0};
  EXPECT_EQ(error_of([&] { floor_divide(a, b); }).what, "FloorDiv: integer division by zero");
  EXPECT_EQ(error_of([&] { a % b; }).what, "FloorMod: integer division by zero");
  EXPECT_EQ(error_of([&] { truncate_divide(a, b); }).what, "TruncateDiv: integer division by zero");
  EXPECT_EQ(error_of([&] { truncatemod(a, b); }).what, "TruncateMod: integer division by zero");
  EXPECT_EQ(values<std::int32_t>(floor_divide(a, 1)), (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(error_of([&] { a / b; }).code, Code::invalid_argument);
}

TEST(Elementwise, FloatDivisionFollowsIeee) {
  expect_same(Tensor{1.f, -1.f, 0.f, 6.f} / Tensor{0.f, 0.f, 0.f, -3.f}, {kInf, -kInf, kNan, -2});
  expect_same(divide_no_nan(Tensor{1.f, 0.f, kNan, 6.f}, Tensor{0.f, 0.f, 0.f, 3.f}), {0, 0, 0, 2});
  expect_same(multiply_no_nan(Tensor{kNan, kInf, 2.f}, Tensor{0.f, 0.f, 3.f}), {0, 0, 6});
}

TEST(Elementwise, DivisionRounds) {
  const Tensor a{7, -7, 7, -7}, b{2, 2, -2, -2};
  EXPECT_EQ(values<std::int32_t>(floor_divide(a, b)), (std::vector<std::int32_t>{3, -4, -4, 3}));
  EXPECT_EQ(values<std::int32_t>(a % b), (std::vector<std::int32_t>{1, 1, -1, -1}));
  EXPECT_EQ(values<std::int32_t>(truncate_divide(a, b)), (std::vector<std::int32_t>{3, -3, -3, 3}));
  EXPECT_EQ(values<std::int32_t>(truncatemod(a, b)), (std::vector<std::int32_t>{1, -1, 1, -1}));
  expect_same(Tensor{7.5f, -7.5f} % 2, {1.5f, 0.5f});
  expect_same(truncatemod(Tensor{7.5f, -7.5f}, 2), {1.5f, -1.5f});
}

TEST(Elementwise, Powers) {
  expect_same(pow(Tensor{0.f, 2.f, -2.f, 4.f, -8.f}, Tensor{0.f, 10.f, 3.f, 0.5f, 0.5f}),
              {1, 1024, -8, 2, kNan});
  EXPECT_EQ(values<std::int32_t>(pow(Tensor{2, -3, 0, 5}, Tensor{10, 3, 0, 1})),
            (std::vector<std::int32_t>{1024, -27, 1, 5}));
  EXPECT_EQ(error_of([] {
              pow(Tensor{2, 3}, Tensor{1, -1});
            }).what,
            "Pow: integers to negative integer powers are not allowed");
}

TEST(Elementwise, MaximumAndMinimumPropagateNan) {
  expect_same(maximum(Tensor{1.f, kNan, 2.f}, Tensor{3.f, 1.f, kNan}), {3, kNan, kNan});
  expect_same(minimum(Tensor{1.f, kNan, 2.f}, Tensor{3.f, 1.f, kNan}), {1, kNan, kNan});
  EXPECT_EQ(values<std::int32_t>(maximum(Tensor{1, -5}, 0)), (std::vector<std::int32_t>{1, 0}));
}

TEST(Elementwise, RoundingKeepsTheSignOfZero) {
  expect_same(round(Tensor{0.5f, 1.5f, 2.5f, -0.5f, -1.5f}), {0, 2, 2, -0.f, -2});
  expect_same(ceil(Tensor{-0.5f, -0.f, 1.2f}), {-0.f, -0.f, 2});
  expect_same(floor(Tensor{-0.5f, -0.f, 1.8f}), {-1, -0.f, 1});
  expect_same(rint(Tensor{2.5f, 3.5f, kNan}), {2, 4, kNan});
  EXPECT_EQ(values<std::int32_t>(round(Tensor{3, -4})), (std::vector<std::int32_t>{3, -4}));
}

TEST(Elementwise, SignsAndMagnitudes) {
  expect_same(sign(Tensor{-3.f, 0.f, 5.f, kNan}), {-1, 0, 1, kNan});
  expect_same(abs(Tensor{-3.f, -0.f, -kInf}), {3, 0, kInf});
  EXPECT_EQ(values<std::int32_t>(sign(Tensor{-7, 0, 9})), (std::vector<std::int32_t>{-1, 0, 1}));
}

TEST(Elementwise, FunctionsOfOneValue) {
  const Tensor x{0.f, 1.f, -1.f};
  expect_near(exp(x), {1, 2.7182818f, 0.36787944f});
  expect_near(tanh(x), {0, 0.76159416f, -0.76159416f});
  expect_near(sigmoid(x), {0.5f, 0.7310586f, 0.26894142f});
  expect_near(erf(x), {0, 0.84270079f, -0.84270079f});
  expect_near(sin(x), {0, 0.84147098f, -0.84147098f});
  expect_near(atan2(Tensor{1.f, 0.f}, Tensor{1.f, -1.f}), {0.78539816f, 3.14159265f});
  expect_same(log(Tensor{1.f, 0.f, -1.f, kInf}), {0, -kInf, kNan, kInf});
  expect_same(sqrt(Tensor{4.f, 0.f, -1.f}), {2, 0, kNan});
  expect_same(rsqrt(Tensor{4.f, 0.f}), {0.5f, kInf});
  expect_same(reciprocal(Tensor{4.f, 0.f, -kInf}), {0.25f, kInf, -0.f});
  EXPECT_DOUBLE_EQ(exp(Tensor{1.0}).item<double>(), std::exp(1.0));
}

TEST(Elementwise, ComparisonsWithNan) {
  const Tensor a{1.f, kNan, 3.f}, b{1.f, kNan, 2.f};
  EXPECT_EQ(values<bool>(a == b), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(values<bool>(a != b), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(values<bool>(a < b), (std::vector<bool>{false, false, false}));
  EXPECT_EQ(values<bool>(a >= b), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(values<bool>(is_nan(a)), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(values<bool>(is_inf(Tensor{kInf, kNan, 0.f})), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(values<bool>(is_finite(Tensor{-kInf, kNan, 0.f})),
            (std::vector<bool>{false, false, true}));
}

TEST(Elementwise, StringsAndBoolsCompare) {
  const Tensor s{"a", "bc", ""};
  EXPECT_EQ(values<bool>(s == Tensor("bc")), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(values<bool>(s != Tensor("")), (std::vector<bool>{true, true, false}));
  EXPECT_EQ(values<bool>(Tensor{true, false} == true), (std::vector<bool>{true, false}));
  EXPECT_THROW(s < s, Error);
}

TEST(Elementwise, LogicAndBits) {
  const Tensor t{true, true, false, false}, u{true, false, true, false};
  EXPECT_EQ(values<bool>(t & u), (std::vector<bool>{true, false, false, false}));
  EXPECT_EQ(values<bool>(t | u), (std::vector<bool>{true, true, true, false}));
  EXPECT_EQ(values<bool>(t ^ u), (std::vector<bool>{false, true, true, false}));
  EXPECT_EQ(values<bool>(!t), (std::vector<bool>{false, false, true, true}));
  EXPECT_EQ(values<std::int32_t>(Tensor{12, -1} & 10), (std::vector<std::int32_t>{8, 10}));
  EXPECT_EQ((Tensor{12} | 3).item<std::int32_t>(), 15);
  EXPECT_EQ((~Tensor{12}).item<std::int32_t>(), -13);
  EXPECT_EQ(values<std::int32_t>(left_shift(Tensor{1, 1, 1}, Tensor{4, -3, 99})),
            (std::vector<std::int32_t>{16, 1, INT32_MIN}));
  EXPECT_EQ(values<std::int32_t>(right_shift(Tensor{-16, 16}, 2)),
            (std::vector<std::int32_t>{-4, 4}));
}

TEST(Elementwise, WhereTakesElements) {
  const Tensor c{true, false, true};
  expect_same(where(c, Tensor{1.f, 2.f, 3.f}, 0), {1, 0, 3});
  expect_same(where(c, 7, Tensor{1.f, kNan, 3.f}), {7, kNan, 7});
  expect_same(where(Tensor{{true}, {false}}, Tensor{1.f, 2.f}, Tensor(9.f)), {1, 2, 9, 9});
  EXPECT_EQ(where(c, Tensor("x"), Tensor{"p", "q", "r"}).data<StringView>()[1].data[0], 'q');
}

TEST(Elementwise, ClipKeepsNanAndTheShape) {
  expect_same(clip_by_value(Tensor{-5.f, 0.5f, 5.f, kNan}, 0, 1), {0, 0.5f, 1, kNan});
  EXPECT_THROW(clip_by_value(Tensor{1.f}, Tensor{0.f, 0.f}, 1), Error);
}

TEST(Cast, Truncates) {
  EXPECT_EQ(values<std::int32_t>(cast(Tensor{1.9f, -1.9f, kNan, 1e20f, -1e20f}, DType::int32)),
            (std::vector<std::int32_t>{1, -1, 0, INT32_MAX, INT32_MIN}));
  EXPECT_EQ(values<std::uint8_t>(cast(Tensor{300, -1}, DType::uint8)),
            (std::vector<std::uint8_t>{44, 255}));
  EXPECT_EQ(values<bool>(cast(Tensor{0.f, 0.1f, kNan}, DType::boolean)),
            (std::vector<bool>{false, true, true}));
  expect_same(cast(Tensor{true, false}, DType::float32), {1, 0});
  EXPECT_EQ(cast(Tensor{1.5f}, DType::bfloat16).data<bfloat16>()[0].bits, 0x3fc0);
  EXPECT_EQ(cast(Tensor{std::complex<float>(2, 3)}, DType::float32).item<float>(), 2);
  EXPECT_EQ(cast(Tensor{std::int64_t{1} << 62}, DType::uint64).item<std::uint64_t>(),
            std::uint64_t{1} << 62);
}

TEST(Cast, ToTheSameDtypeSharesMemory) {
  const Tensor a = Tensor::zeros({100});
  EXPECT_EQ(cast(a, DType::float32).raw_data(), a.raw_data());
}

TEST(Activation, KinksAndNan) {
  expect_same(relu(Tensor{-1.f, 0.f, 2.f, kNan}), {0, 0, 2, kNan});
  expect_same(relu6(Tensor{-1.f, 3.f, 7.f}), {0, 3, 6});
  expect_same(relu_grad(Tensor{5.f, 5.f, 5.f}, Tensor{-1.f, 0.f, 2.f}), {0, 0, 5});
  expect_same(leaky_relu(Tensor{-10.f, 4.f}, 0.5), {-5, 4});
  EXPECT_EQ(values<std::int32_t>(relu(Tensor{-3, 3})), (std::vector<std::int32_t>{0, 3}));
}

TEST(Activation, SmoothUnits) {
  const Tensor x{-1.f, 0.f, 2.f};
  expect_near(elu(x), {-0.63212056f, 0, 2});
  expect_near(selu(x), {-1.1113307f, 0, 2.101402f});
  expect_near(softplus(x), {0.31326169f, 0.69314718f, 2.126928f});
  expect_near(softsign(x), {-0.5f, 0, 0.66666667f});
  expect_near(silu(x), {-0.26894142f, 0, 1.7615942f});
  expect_near(gelu(x), {-0.15865525f, 0, 1.9544997f});
  expect_near(gelu(x, true), {-0.15880801f, 0, 1.9545977f});
  expect_same(softplus(Tensor{-1000.f, 1000.f}), {0, 1000});
}

/// What a file without these ops gets instead.
TEST(Activation, DecompositionsAgreeWithKernels) {
  const Tensor x{-3.0, -0.5, 0.0, 0.7, 4.0}, dy{1.0, 2.0, -1.0, 0.5, 3.0};
  const auto expect_equal = [](const Tensor& got, const Tensor& want) {
    for (std::int64_t i = 0; i < want.size(); ++i)
      EXPECT_NEAR(got.data<double>()[std::size_t(i)], want.data<double>()[std::size_t(i)], 1e-12)
          << i;
  };
  for (bool approximate : {false, true}) {
    const std::vector<rt::Attr> attrs = {rt::Attr::boolean(approximate)};
    expect_equal(find_op("Gelu")->decompose_fn()(std::vector{x}, attrs)[0], gelu(x, approximate));
    expect_equal(find_op("GeluGrad")->decompose_fn()(std::vector{dy, x}, attrs)[0],
                 gelu_grad(dy, x, approximate));
  }
  expect_equal(find_op("Silu")->decompose_fn()(std::vector{x}, {})[0], silu(x));
  expect_equal(find_op("SiluGrad")->decompose_fn()(std::vector{dy, x}, {})[0], silu_grad(dy, x));
}

TEST(Elementwise, ComplexGradientsUseConjugates) {
  using C = std::complex<float>;
  EXPECT_EQ(conj(Tensor(C(1, 2))).item<C>(), C(1, -2));
  EXPECT_EQ((Tensor(C(1, 2)) * Tensor(C(3, -1))).item<C>(), C(5, 5));
  EXPECT_THROW(maximum(Tensor(C(1, 2)), Tensor(C(1, 2))), Error);
}

TEST(Elementwise, HalfTypesComputeInFloat) {
  const Tensor h = cast(Tensor{1.5f, 2.25f}, DType::float16);
  expect_same(cast(h * h, DType::float32), {2.25f, 5.0625f});
  EXPECT_EQ(values<bool>(h < cast(Tensor(2.f), DType::float16)), (std::vector<bool>{true, false}));
}

TEST(Elementwise, EveryBroadcastOfFourAxes) {
  // Each axis of each operand is 1 or whole, so that rows jump over any run of axes.
  const std::int64_t whole[] = {2, 3, 2, 3};
  for (int mask = 0; mask < 256; ++mask) {
    Shape sa, sb, out;
    for (int i = 0; i < 4; ++i) {
      sa.push_back(mask >> i & 1 ? whole[i] : 1);
      sb.push_back(mask >> (4 + i) & 1 ? whole[i] : 1);
      out.push_back(std::max(sa[i].value(), sb[i].value()));
    }
    const Tensor a = reshape(range(0, sa.size(), 1), sa),
                 b = 100 * reshape(range(0, sb.size(), 1), sb);
    const Tensor sum = a + b;
    ASSERT_EQ(sum.shape(), out);
    const auto pa = a.data<std::int32_t>(), pb = b.data<std::int32_t>();
    const auto got = sum.data<std::int32_t>();
    for (std::int64_t n = 0; n < out.size(); ++n) {
      std::int64_t rest = n, ia = 0, ib = 0, na = 1, nb = 1;
      for (int i = 3; i >= 0; --i) {
        const std::int64_t at = rest % out[i].value();
        rest /= out[i].value();
        ia += sa[i] == Dim(1) ? 0 : at * na;
        ib += sb[i] == Dim(1) ? 0 : at * nb;
        na *= sa[i].value();
        nb *= sb[i].value();
      }
      ASSERT_EQ(got[std::size_t(n)], pa[std::size_t(ia)] + pb[std::size_t(ib)]) << mask << " " << n;
    }
  }
}

TEST(Elementwise, ManyBroadcastAxes) {
  const Tensor a = Tensor::ones({2, 1, 3, 1, 2, 1}), b = Tensor::ones({2, 1, 3, 1, 5});
  const Tensor y = a + b;
  EXPECT_EQ(y.shape(), (Shape{2, 2, 3, 3, 2, 5}));
  for (float v : y.data<float>())
    ASSERT_EQ(v, 2);
}

}  // namespace
}  // namespace weir
