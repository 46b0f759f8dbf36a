#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <cmath>
#include <cstring>
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
using Floats = std::vector<float>;
using Int64s = std::vector<std::int64_t>;

const Tensor& table() {
  static const Tensor t{{1.f, 5.f, 3.f}, {4.f, 2.f, 6.f}};
  return t;
}

/// Numbers without pattern, in [-1, 1).
Tensor noise(const Shape& shape) {
  std::vector<float> v;
  std::uint32_t state = 12345;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    v.push_back(float(std::int32_t(state)) / 2147483648.f);
  }
  return Tensor::from(v, shape);
}

TEST(Reduce, AlongAxes) {
  EXPECT_EQ(values<float>(sum(table(), 0)), (Floats{5, 7, 9}));
  EXPECT_EQ(values<float>(mean(table(), -1)), (Floats{3, 4}));
  EXPECT_EQ(values<float>(prod(table(), 1)), (Floats{15, 48}));
  EXPECT_EQ(values<float>(max(table(), 0)), (Floats{4, 5, 6}));
  EXPECT_EQ(values<float>(min(table())), (Floats{1}));
  EXPECT_EQ(mean(table(), {0, 1}, true).shape(), (Shape{1, 1}));
  EXPECT_EQ(max(table(), std::initializer_list<std::int64_t>{}).shape(), (Shape{2, 3}));
  EXPECT_EQ(values<std::int32_t>(mean(Tensor{1, 2, -5}, 0)), (std::vector<std::int32_t>{0}));
}

TEST(Reduce, AxisErrors) {
  EXPECT_THROW(sum(table(), 2), Error);
  EXPECT_THROW(max(table(), {0, -2}), Error);
  EXPECT_THROW(argmax(table(), -3), Error);
  EXPECT_THROW(argmax(Tensor(1.f)), Error);
  EXPECT_THROW(argmin(Tensor::zeros({2, 0}), 1), Error);
  EXPECT_THROW(cumsum(table(), 5), Error);
}

TEST(Reduce, OfNothing) {
  const Tensor none = Tensor::zeros({0, 2});
  EXPECT_EQ(values<float>(sum(none, 0)), (Floats{0, 0}));
  EXPECT_EQ(values<float>(prod(none, 0)), (Floats{1, 1}));
  EXPECT_EQ(values<float>(max(none, 0)), (Floats{-kInf, -kInf}));
  EXPECT_EQ(values<float>(min(none)), (Floats{kInf}));
  EXPECT_TRUE(std::isnan(mean(none).item<float>()));
  EXPECT_EQ(max(Tensor::zeros({0}, DType::int32)).item<std::int32_t>(), INT32_MIN);
  EXPECT_FALSE(any(Tensor::zeros({0}, DType::boolean)).item<bool>());
  EXPECT_TRUE(all(Tensor::zeros({0}, DType::boolean)).item<bool>());
  EXPECT_EQ(sum(none, 1).shape(), (Shape{0}));
}

TEST(Reduce, NanPropagates) {
  for (std::int64_t n : {3, 40, 1500}) {
    for (std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      std::vector<float> v(std::size_t(n), 1.f);
      v[std::size_t(at)] = kNan;
      const Tensor t = Tensor::from(v);
      EXPECT_TRUE(std::isnan(max(t).item<float>())) << n << " " << at;
      EXPECT_TRUE(std::isnan(min(t).item<float>())) << n << " " << at;
      EXPECT_TRUE(std::isnan(sum(t).item<float>())) << n << " " << at;
    }
  }
}

TEST(Reduce, Logic) {
  const Tensor t{{true, false}, {true, true}};
  EXPECT_EQ(values<bool>(all(t, 1)), (std::vector<bool>{false, true}));
  EXPECT_EQ(values<bool>(any(t, 1)), (std::vector<bool>{true, true}));
  EXPECT_THROW(any(table()), Error);
}

TEST(Reduce, ArgTakesTheLowestIndexOfTies) {
  EXPECT_EQ(values<std::int64_t>(argmax(Tensor{{1.f, 9.f, 9.f}, {7.f, 7.f, 0.f}}, 1)),
            (Int64s{1, 0}));
  EXPECT_EQ(values<std::int64_t>(argmin(Tensor{{1.f, 9.f}, {1.f, 3.f}})), (Int64s{0, 1}));
  EXPECT_EQ(argmax(table(), 0, DType::int32).dtype(), DType::int32);
  EXPECT_EQ(values<std::int64_t>(argmax(Tensor{kNan, 1.f, kNan, 3.f})), (Int64s{3}));
}

TEST(Reduce, IntegersWrapInTheirDtype) {
  EXPECT_EQ(sum(Tensor{INT32_MAX, 1}).item<std::int32_t>(), INT32_MIN);
  EXPECT_EQ(prod(Tensor{1 << 20, 1 << 20}).item<std::int32_t>(), 0);
}

TEST(Reduce, AgreesWithFloat64) {
  const Tensor x = noise({7, 33, 5, 41});
  const std::vector<std::vector<std::int64_t>> cases = {
      {0}, {1}, {2}, {3}, {0, 1}, {1, 2}, {2, 3}, {0, 2}, {1, 3}, {0, 1, 3}, {0, 1, 2, 3}};
  for (const auto& axes : cases) {
    for (bool keepdims : {false, true}) {
      const Tensor got = sum(x, axes, keepdims),
                   want = sum(cast(x, DType::float64), axes, keepdims);
      ASSERT_EQ(got.shape(), want.shape());
      for (std::int64_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got.data<float>()[std::size_t(i)], want.data<double>()[std::size_t(i)], 1e-4);
      const Tensor top = max(x, axes, keepdims),
                   want_top = max(cast(x, DType::float64), axes, keepdims);
      for (std::int64_t i = 0; i < top.size(); ++i)
        ASSERT_EQ(top.data<float>()[std::size_t(i)], want_top.data<double>()[std::size_t(i)]);
    }
  }
}

/// The order of accumulation depends on the reduced extent alone: one row, many rows, rows or
/// columns.
TEST(Reduce, BitsDoNotDependOnTheOtherAxes) {
  for (std::int64_t n : {1, 5, 31, 32, 33, 100, 1024, 1025, 5000}) {
    const Tensor rows = noise({3, n});
    const Tensor by_row = sum(rows, 1);
    for (std::int64_t i = 0; i < 3; ++i) {
      const Tensor one = sum(rows.slice(i, i + 1), 1);
      EXPECT_EQ(one.item<float>(), by_row.data<float>()[std::size_t(i)]) << n;
      std::vector<float> columns;
      for (std::int64_t k = 0; k < n; ++k) {
        for (int copies = 0; copies < 3; ++copies)
          columns.push_back(rows.data<float>()[std::size_t(i * n + k)]);
      }
      const Tensor by_column = sum(Tensor::from(columns, {n, 3}), 0);
      for (float v : by_column.data<float>())
        EXPECT_EQ(v, one.item<float>()) << n;
    }
    EXPECT_EQ(sum(reshape(rows.slice(0, 1), {1, n, 1}), {0, 1}).item<float>(),
              by_row.data<float>()[0]);
  }
}

TEST(Scan, HonoursItsAttributes) {
  const Tensor x{1.f, 2.f, 3.f};
  EXPECT_EQ(values<float>(cumsum(x)), (Floats{1, 3, 6}));
  EXPECT_EQ(values<float>(cumsum(x, 0, true)), (Floats{0, 1, 3}));
  EXPECT_EQ(values<float>(cumsum(x, 0, false, true)), (Floats{6, 5, 3}));
  EXPECT_EQ(values<float>(cumsum(x, 0, true, true)), (Floats{5, 3, 0}));
  EXPECT_EQ(values<float>(cumprod(x, -1)), (Floats{1, 2, 6}));
  EXPECT_EQ(values<float>(cumprod(x, 0, true, true)), (Floats{6, 3, 1}));
  EXPECT_EQ(values<float>(cumsum(table(), 0)), (Floats{1, 5, 3, 5, 7, 9}));
  EXPECT_EQ(values<float>(cumsum(table(), 1)), (Floats{1, 6, 9, 4, 6, 12}));
  EXPECT_EQ(cumsum(Tensor::zeros({0, 3})).shape(), (Shape{0, 3}));
}

TEST(AddN, SumsTensorsOfOneShape) {
  EXPECT_EQ(values<float>(add_n({table(), table(), table()})), (Floats{3, 15, 9, 12, 6, 18}));
  EXPECT_EQ(values<float>(add_n({table()})), values<float>(table()));
  EXPECT_THROW(add_n({table(), Tensor{1.f}}), Error);
}

TEST(Composite, LogSumExpIsStable) {
  EXPECT_NEAR(logsumexp(Tensor{1e4f, 1e4f}).item<float>(), 1e4f + 0.6931472f, 1e-3);
  EXPECT_EQ(logsumexp(Tensor{-kInf, -kInf}).item<float>(), -kInf);
  EXPECT_EQ(logsumexp(table(), 1, true).shape(), (Shape{2, 1}));
  EXPECT_NEAR(logsumexp(Tensor{{0.f, 1.f}, {2.f, 3.f}}, 0).data<float>()[1], 3.1269281f, 1e-6);
}

TEST(Composite, VarianceAndNorm) {
  const Tensor x{3.f, -4.f};
  EXPECT_EQ(variance(x).item<float>(), 12.25f);
  EXPECT_EQ(stddev(x).item<float>(), 3.5f);
  EXPECT_EQ(norm(x).item<float>(), 5);
  EXPECT_EQ(norm(x, {}, false, 1).item<float>(), 7);
  EXPECT_EQ(norm(x, {}, false, kInf).item<float>(), 4);
  EXPECT_NEAR(norm(x, {}, false, 3).item<float>(), 4.4979414f, 1e-5);
  EXPECT_THROW(norm(x, {}, false, 0), Error);
  EXPECT_EQ(values<float>(clip_by_norm(x, 2.5)), (Floats{1.5f, -2}));
  EXPECT_NEAR(l2_normalize(x).data<float>()[1], -0.8f, 1e-7);
  EXPECT_EQ(count_nonzero(Tensor{0.f, 2.f, kNan}).item<std::int64_t>(), 2);
}

TEST(Composite, SaturateCastClamps) {
  EXPECT_EQ(values<std::uint8_t>(saturate_cast(Tensor{-5, 7, 300}, DType::uint8)),
            (std::vector<std::uint8_t>{0, 7, 255}));
  EXPECT_EQ(values<std::int8_t>(saturate_cast(Tensor{-500.5f, 7.9f, 300.f}, DType::int8)),
            (std::vector<std::int8_t>{-128, 7, 127}));
  EXPECT_EQ(saturate_cast(Tensor(UINT64_MAX), DType::int64).item<std::int64_t>(), INT64_MAX);
  EXPECT_EQ(saturate_cast(Tensor{-1}, DType::uint64).item<std::uint64_t>(), 0u);
}

}  // namespace
}  // namespace weir
