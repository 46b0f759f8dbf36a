#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(Concat, JoinsAlongAnAxis) {
  EXPECT_EQ(list<float>(concat({iota({1, 2}), iota({2, 2})}, 0)), (Floats{0, 1, 0, 1, 2, 3}));
  EXPECT_EQ(list<float>(concat({iota({2, 1}), iota({2, 2})}, -1)), (Floats{0, 0, 1, 1, 2, 3}));
}

TEST(Concat, AcceptsEmptyPartsAndStrings) {
  EXPECT_EQ(list<float>(concat({Tensor::zeros({0}), iota({2})}, 0)), (Floats{0, 1}));
  EXPECT_EQ(texts(concat({Tensor{"a"}, Tensor{"b", "c"}}, 0)), (Texts{"a", "b", "c"}));
}

TEST(Concat, TakesItsAxisFromATensor) {
  EXPECT_EQ(concat({iota({2, 1}), iota({2, 2})}, Tensor(1)).shape(), (Shape{2, 3}));
}

TEST(Concat, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(contains(error_of([] {
                         concat({Tensor(1.f), Tensor(2.f)}, 0);
                       }),
                       "scalars cannot be concatenated"));
  EXPECT_TRUE(contains(error_of([] { concat({iota({2}), iota({2, 1})}, 0); }), "ranks differ"));
  EXPECT_TRUE(contains(error_of([] {
                         concat({iota({2, 3}), iota({2, 4})}, 0);
                       }),
                       "other than the axis differ"));
  EXPECT_TRUE(contains(error_of([] { concat({iota({2}), iota({2})}, 1); }), "axis out of range"));
  EXPECT_TRUE(contains(error_of([] {
                         concat({iota({2}), iota<int>({2})}, 0);
                       }),
                       "different dtypes"));
}

TEST(Stack, AddsAnAxis) {
  EXPECT_EQ(list<float>(stack({iota({2}), iota({2})})), (Floats{0, 1, 0, 1}));
  const Tensor t = stack({iota({2}), iota({2}), iota({2})}, -1);
  EXPECT_EQ(t.shape(), (Shape{2, 3}));
  EXPECT_EQ(list<float>(t), (Floats{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(stack({1.f, 2.f}).shape(), (Shape{2}));
  EXPECT_TRUE(contains(error_of([] { stack({iota({2}), iota({3})}); }), "shapes differ"));
  EXPECT_TRUE(contains(error_of([] { stack({iota({2})}, 2); }), "axis out of range"));
}

TEST(Unstack, GivesTheSlices) {
  const auto rows = unstack(iota({2, 3}));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(list<float>(rows[1]), (Floats{3, 4, 5}));
  const auto columns = unstack(iota({2, 3}), -1);
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(list<float>(columns[2]), (Floats{2, 5}));
  EXPECT_TRUE(contains(error_of([] { unpack(iota({2, 3}), 3); }), "num is not the length"));
  EXPECT_TRUE(unstack(Tensor::zeros({0, 3})).empty());
}

TEST(Split, GivesEqualParts) {
  const auto parts = split(iota({2, 4}), 2, 1);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(list<float>(parts[0]), (Floats{0, 1, 4, 5}));
  EXPECT_EQ(list<float>(parts[1]), (Floats{2, 3, 6, 7}));
  EXPECT_TRUE(contains(error_of([] { split(iota({3}), 2); }), "does not divide"));
  EXPECT_TRUE(contains(error_of([] { split(iota({3}), 0); }), "must be positive"));
}

TEST(Split, GivesPartsOfGivenLengths) {
  const auto parts = split(iota({5}), {1, -1, 2});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(list<float>(parts[1]), (Floats{1, 2}));
  EXPECT_EQ(list<float>(parts[2]), (Floats{3, 4}));
  EXPECT_TRUE(contains(error_of([] { split(iota({5}), {1, 2}); }), "do not add up"));
  EXPECT_TRUE(contains(error_of([] { split(iota({5}), {-1, -1}); }), "at most one -1"));
  EXPECT_TRUE(contains(error_of([] { split(iota({5}), {6, -1}); }), "do not add up"));
}

TEST(Pad, AddsBorders) {
  EXPECT_EQ(list<float>(pad(iota({1, 2}), {{1, 0}, {0, 1}})), (Floats{0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(list<float>(pad_v2(iota({2}), {{1, 2}}, 9.f)), (Floats{9, 0, 1, 9, 9}));
  EXPECT_EQ(texts(pad(Tensor{"a"}, {{0, 1}})), (Texts{"a", ""}));
  EXPECT_EQ(list<float>(pad(iota({2}), Tensor{{1, 1}})), (Floats{0, 0, 1, 0}));
  EXPECT_TRUE(contains(error_of([] {
                         pad(iota({2, 2}), {{1, 1}});
                       }),
                       "a row {before, after} for each axis"));
  EXPECT_TRUE(contains(error_of([] { pad(iota({2}), {{-1, 1}}); }), "negative"));
}

}  // namespace
}  // namespace weir
