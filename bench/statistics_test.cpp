#include "statistics.h"

#include <gtest/gtest.h>

namespace weir::bench {
namespace {

TEST(LowQuartileMedian, FewSamples_GiveTheLowest) {
  EXPECT_EQ(low_quartile_median({}), 0);
  EXPECT_EQ(low_quartile_median({7}), 7);
  EXPECT_EQ(low_quartile_median({9, 7, 8}), 7);
}

TEST(LowQuartileMedian, ManySamples_IgnoreTheHighOnes) {
  EXPECT_EQ(low_quartile_median({90, 3, 80, 1, 70, 2, 60, 50, 40, 30, 20, 10}), 2);
  EXPECT_EQ(low_quartile_median({1, 2, 3, 4, 5, 6, 7, 8}), 1.5);
}

}  // namespace
}  // namespace weir::bench
