#include "platform/cpu_features.h"

#include <gtest/gtest.h>

#include <cstring>

namespace weir::platform {
namespace {

TEST(CpuFeatures, NoRequestGivesTheBest) {
  for (const char* none : {static_cast<const char*>(nullptr), ""}) {
    const IsaChoice choice = choose_isa(none, Isa::avx2);
    EXPECT_EQ(choice.isa, Isa::avx2);
    EXPECT_STREQ(choice.note, "");
  }
}

TEST(CpuFeatures, ALesserSetIsFollowed) {
  const IsaChoice choice = choose_isa("baseline", Isa::avx512);
  EXPECT_EQ(choice.isa, Isa::baseline);
  EXPECT_STREQ(choice.note, "");
}

TEST(CpuFeatures, ASetThatIsMissingIsIgnoredWithAReason) {
  const IsaChoice choice = choose_isa("avx512", Isa::avx2);
  EXPECT_EQ(choice.isa, Isa::avx2);
  EXPECT_NE(std::strstr(choice.note, "lacks"), nullptr);
}

TEST(CpuFeatures, AnUnknownNameIsIgnoredWithAReason) {
  const IsaChoice choice = choose_isa("AVX2", Isa::baseline);
  EXPECT_EQ(choice.isa, Isa::baseline);
  EXPECT_NE(std::strstr(choice.note, "expected baseline, avx2 or avx512"), nullptr);
}

TEST(CpuFeatures, TheSetInUseIsOneOfThisMachine) {
  EXPECT_LE(static_cast<int>(isa()), static_cast<int>(detect()));
  EXPECT_STREQ(isa_name(Isa::avx512), "avx512");
}

TEST(CpuFeatures, TheProcessorHasAName) {
  ASSERT_NE(cpu_name()[0], '\0');
  EXPECT_NE(cpu_name()[0], ' ');
  EXPECT_EQ(cpu_name(), cpu_name());
}

}  // namespace
}  // namespace weir::platform
