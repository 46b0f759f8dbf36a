#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace weir {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Status(Code::invalid_argument, "n must be even");
  return n / 2;
}

TEST(Status, Default_IsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_STREQ(Status().message(), "");
}

TEST(Status, WithCode_KeepsCodeAndMessage) {
  const Status status(Code::data_loss, "checksum differs");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), Code::data_loss);
  EXPECT_STREQ(status.message(), "checksum differs");
}

TEST(Status, CodeNames_FollowTheNumbers) {
  EXPECT_STREQ(code_name(Code::ok), "ok");
  EXPECT_STREQ(code_name(Code::internal), "internal");
  EXPECT_STREQ(code_name(Code::unauthenticated), "unauthenticated");
  EXPECT_STREQ(code_name(static_cast<Code>(200)), "unknown");
}

TEST(Result, Value_IsReturned) {
  const auto result = half(6);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 3);
  EXPECT_TRUE(result.status().ok());
}

TEST(Result, Failure_KeepsTheStatus) {
  const auto result = half(7);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.code(), Code::invalid_argument);
  EXPECT_STREQ(result.status().message(), "n must be even");
}

TEST(Result, CopiesAndAssignments_OwnTheirValues) {
  Result<std::string> a = std::string("a value too long for the small buffer");
  Result<std::string> b = a;
  a = Status(Code::not_found, "gone");
  EXPECT_FALSE(a.ok());
  EXPECT_EQ(*b, "a value too long for the small buffer");
  a = std::move(b);
  EXPECT_EQ(a->size(), 37U);
}

TEST(Result, MoveOnlyValue_IsMovedOut) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 5);
}

}  // namespace
}  // namespace weir
