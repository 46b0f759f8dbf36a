#include <gtest/gtest.h>
#include <weir/callable.h>

#include <functional>
#include <string>

namespace weir {
namespace {

int twice(int v) {
  return 2 * v;
}

TEST(Callable, CallsFunctionsLambdasAndMembersOfItsOwnKind) {
  EXPECT_EQ(Callable<int(int)>(twice)(4), 8);
  EXPECT_EQ(Callable<int(int)>([n = 3](int v) { return n + v; })(4), 7);
  const Callable<int(int)> wrapped = std::function<int(int)>(twice);
  EXPECT_EQ(wrapped(5), 10);
}

TEST(Callable, CopiesShareTheCallable) {
  int calls = 0;
  Callable<int()> f = [n = 0, &calls]() mutable {
    ++calls;
    return ++n;
  };
  const Callable<int()> g = f;
  EXPECT_EQ(f(), 1);
  EXPECT_EQ(g(), 2);
  EXPECT_EQ(calls, 2);
}

TEST(Callable, IsEmptyWhereItsSourceIs) {
  EXPECT_FALSE(Callable<int(int)>());
  EXPECT_FALSE(Callable<int(int)>(nullptr));
  EXPECT_FALSE(Callable<int(int)>(std::function<int(int)>()));
  int (*none)(int) = nullptr;
  EXPECT_FALSE(Callable<int(int)>(none));
  EXPECT_TRUE(Callable<int(int)>(twice));
}

TEST(Callable, PassesReferencesAndMovesValues) {
  const Callable<std::string(std::string&, std::string)> join = [](std::string& to,
                                                                   std::string from) {
    to += from;
    return from;
  };
  std::string text = "a";
  EXPECT_EQ(join(text, "b"), "b");
  EXPECT_EQ(text, "ab");
}

}  // namespace
}  // namespace weir
