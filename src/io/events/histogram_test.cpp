#include "io/events/histogram.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir::io {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

std::vector<Bucket> histogram_of(const std::vector<double>& values) {
  return make_histogram(std::span<const double>(values));
}

double total(const std::vector<Bucket>& buckets) {
  double sum = 0;
  for (const Bucket& bucket : buckets)
    sum += bucket.count;
  return sum;
}

void expect_contiguous(const std::vector<Bucket>& buckets, double low, double high) {
  ASSERT_EQ(buckets.size(), static_cast<std::size_t>(kHistogramBuckets));
  EXPECT_EQ(buckets.front().left, low);
  EXPECT_EQ(buckets.back().right, high);
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    EXPECT_EQ(buckets[i].left, buckets[i - 1].right);
    EXPECT_LE(buckets[i].left, buckets[i].right);
  }
}

TEST(Histogram, EvenValues_FillTheBucketsEvenly) {
  std::vector<double> values;
  for (int i = 0; i < 300; ++i)
    values.push_back(i + 0.5);
  const auto buckets = histogram_of(values);
  expect_contiguous(buckets, 0.5, 299.5);
  for (const Bucket& bucket : buckets)
    EXPECT_NEAR(bucket.count, 10, 1);
  EXPECT_EQ(total(buckets), 300);
}

TEST(Histogram, LargestValue_IsInTheLastBucket) {
  const auto buckets = histogram_of({0, 3, 30});
  EXPECT_EQ(buckets[0].count, 1);
  EXPECT_EQ(buckets[3].count, 1);
  EXPECT_EQ(buckets[29].count, 1);
}

TEST(Histogram, EqualValues_AreInTheLastBucket) {
  const auto buckets = histogram_of({7, 7, 7});
  expect_contiguous(buckets, 7, 7);
  EXPECT_EQ(buckets.back().count, 3);
  EXPECT_EQ(total(buckets), 3);
}

TEST(Histogram, NoFiniteValues_GiveZeros) {
  for (const std::vector<double>& values : {std::vector<double>{}, {kInf, -kInf, kInf - kInf}}) {
    const auto buckets = histogram_of(values);
    expect_contiguous(buckets, 0, 0);
    EXPECT_EQ(total(buckets), 0);
  }
}

TEST(Histogram, NonFiniteValues_AreLeftOut) {
  const auto buckets = histogram_of({1, kInf, 2, kInf - kInf, -kInf});
  expect_contiguous(buckets, 1, 2);
  EXPECT_EQ(total(buckets), 2);
}

TEST(Histogram, HugeRange_DoesNotOverflow) {
  const double huge = std::numeric_limits<double>::max();
  const auto buckets = histogram_of({-huge, 0, huge});
  expect_contiguous(buckets, -huge, huge);
  EXPECT_EQ(buckets[0].count, 1);
  EXPECT_EQ(buckets[15].count, 1);
  EXPECT_EQ(buckets[29].count, 1);
}

TEST(Histogram, TinyRange_CountsAll) {
  const double tiny = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(total(histogram_of({0, tiny})), 2);
}

}  // namespace
}  // namespace weir::io
