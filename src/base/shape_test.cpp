#include <gtest/gtest.h>
#include <weir/shape.h>

#include <string>

#include "base/small_vector.h"

namespace weir {
namespace {

TEST(Shape, AssignTakesOtherDimensions) {
  const std::vector<Dim> few{2, 3}, many{1, 2, 3, 4, 5, 6, 7, 8};
  Shape s = Shape::unknown_rank();
  s.assign(few);
  EXPECT_EQ(s, (Shape{2, 3}));
  s.assign(many);
  EXPECT_EQ(s, Shape(many));
  Shape moved = std::move(s);
  EXPECT_EQ(moved, Shape(many));
  moved.assign(few);
  EXPECT_EQ(moved, (Shape{2, 3}));
  moved = Shape{7};
  EXPECT_EQ(moved, (Shape{7}));
}

TEST(Shape, PrintsValuesSymbolsAndUnknowns) {
  EXPECT_EQ((Shape{2, -1, Dim::symbol("batch")}).to_string(), "[2, ?, batch]");
  EXPECT_EQ(Shape{}.to_string(), "[]");
  EXPECT_EQ(Shape::unknown_rank().to_string(), "<unknown>");
}

TEST(Shape, UnknownDimensionsAreNeverTheSame) {
  EXPECT_FALSE(Dim(-1).same(Dim(-1)));
  EXPECT_TRUE(Dim::symbol("n").same(Dim::symbol("n")));
  EXPECT_FALSE(Dim::fresh_symbol().same(Dim::fresh_symbol()));
  EXPECT_TRUE(Dim(3).same(Dim(3)));
}

TEST(Shape, SizeIsUnknownUnlessStatic) {
  EXPECT_EQ((Shape{2, 3}).size(), 6);
  EXPECT_EQ((Shape{2, -1}).size(), -1);
  EXPECT_EQ(Shape{}.size(), 1);
  EXPECT_EQ(Shape::unknown_rank().size(), -1);
}

TEST(Shape, KeepsManyDimensions) {
  Shape s;
  for (int i = 0; i < 200; ++i)
    s.push_back(i);
  Shape copy = s;
  Shape moved = std::move(s);
  EXPECT_EQ(copy, moved);
  EXPECT_EQ(moved.rank(), 200);
  EXPECT_EQ(moved[199], Dim(199));
  copy = Shape{1};
  EXPECT_EQ(copy.rank(), 1);
}

TEST(SmallVector, MovesBetweenInlineAndHeap) {
  base::SmallVector<std::string, 2> v;
  for (int i = 0; i < 9; ++i)
    v.push_back(std::string(30, char('a' + i)));
  auto copy = v;
  auto moved = std::move(v);
  ASSERT_EQ(moved.size(), 9u);
  EXPECT_EQ(copy[8], moved[8]);
  EXPECT_TRUE(v.empty());
  v.push_back("again");
  EXPECT_EQ(v[0], "again");
  moved = v;
  EXPECT_EQ(moved.size(), 1u);
}

}  // namespace
}  // namespace weir
