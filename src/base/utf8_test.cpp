#include "base/utf8.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Utf8, WellFormed_IsAccepted) {
  for (const char* text :
       {"", "loss/train", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, IllFormed_IsRefused) {
  for (const char* text : {"\x80",
                           "\xc3",
                           "\xc0\xaf",
                           "\xe0\x80\x80",
                           "\xed\xa0\x80",
                           "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80",
                           "a\xff",
                           "\xe2\x82",
                           "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

}  // namespace
}  // namespace weir
