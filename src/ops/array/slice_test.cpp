#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(Slice, TakesABlock) {
  EXPECT_EQ(list<float>(slice(iota({3, 3}), {1, 1}, {2, -1})), (Floats{4, 5, 7, 8}));
  EXPECT_EQ(slice(iota({3}), 3, 0).shape(), (Shape{0}));
  EXPECT_EQ(slice(iota({3}), 3, -1).shape(), (Shape{0}));
}

TEST(Slice, SharesMemoryWhereContiguous) {
  const Tensor x = iota({10, 10});
  const auto* base = static_cast<const float*>(x.raw_data());
  EXPECT_EQ(slice(x, {2, 0}, {3, 10}).raw_data(), base + 20);
  EXPECT_EQ(slice(x, {2, 3}, {1, 4}).raw_data(), base + 23);
  EXPECT_NE(slice(x, {2, 3}, {2, 4}).raw_data(), base + 23);
}

TEST(Slice, RefusesABlockOutside) {
  EXPECT_TRUE(contains(error_of([] { slice(iota({3}), 2, 2); }), "leaves the operand"));
  EXPECT_TRUE(contains(error_of([] { slice(iota({3}), -1, 1); }), "leaves the operand"));
  EXPECT_TRUE(contains(error_of([] { slice(iota({3}), 4, -1); }), "leaves the operand"));
  EXPECT_TRUE(contains(error_of([] { slice(iota({3}), 0, -2); }), "leaves the operand"));
  EXPECT_TRUE(contains(error_of([] { slice(iota({3}), {0, 0}, {1, 1}); }), "one entry per axis"));
}

TEST(Indexing, IntegersAndRows) {
  const Tensor x = iota({3, 4});
  EXPECT_EQ(list<float>(x[1]), (Floats{4, 5, 6, 7}));
  EXPECT_EQ(list<float>(x[-1]), (Floats{8, 9, 10, 11}));
  EXPECT_EQ((x[{1, 2}].item<float>()), 6);
  EXPECT_EQ((x[{-1, -1}].item<float>()), 11);
  EXPECT_EQ(list<float>(x.slice(1, 3)), (Floats{4, 5, 6, 7, 8, 9, 10, 11}));
}

TEST(Indexing, SlicesClampAndStep) {
  const Tensor x = iota({6});
  EXPECT_EQ(list<float>(x[{Slice{1, 100, 2}}]), (Floats{1, 3, 5}));
  EXPECT_EQ(list<float>(x[{Slice{Slice::kOpen, Slice::kOpen, -1}}]), (Floats{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(list<float>(x[{Slice{-2}}]), (Floats{4, 5}));
  EXPECT_EQ(list<float>(x[{Slice{4, 1, -2}}]), (Floats{4, 2}));
  EXPECT_EQ(list<float>(x[{Slice{-100, 2}}]), (Floats{0, 1}));
  EXPECT_EQ((x[{Slice{3, 1}}].shape()), (Shape{0}));
  EXPECT_EQ(list<float>(x[{Slice{0, 6, INT64_MAX}}]), (Floats{0}));
  EXPECT_EQ(list<float>(x[{Slice{5, Slice::kOpen, INT64_MIN + 1}}]), (Floats{5}));
}

TEST(Indexing, EllipsisAndNewaxis) {
  const Tensor x = iota({2, 3, 4});
  EXPECT_EQ((x[{Index::ellipsis(), 1}].shape()), (Shape{2, 3}));
  EXPECT_EQ(list<float>(x[{0, Index::ellipsis(), 3}]), (Floats{3, 7, 11}));
  EXPECT_EQ((x[{Index::newaxis(), 0, Slice{}, Index::newaxis()}].shape()), (Shape{1, 3, 1, 4}));
  EXPECT_EQ((x[{Index::ellipsis(), Index::newaxis()}].shape()), (Shape{2, 3, 4, 1}));
}

TEST(Indexing, SharesMemoryOfLeadingParts) {
  const Tensor x = iota({10, 4, 5});
  const auto* base = static_cast<const float*>(x.raw_data());
  EXPECT_EQ(x[3].raw_data(), base + 60);
  EXPECT_EQ((x[{3, Slice{1, 3}}].raw_data()), base + 65);
  EXPECT_EQ(x.slice(2, 5).raw_data(), base + 40);
}

TEST(Indexing, RefusesWhatIsOutside) {
  const Tensor x = iota({3, 4});
  EXPECT_TRUE(contains(error_of([&] { x[3]; }), "index out of range"));
  EXPECT_TRUE(contains(error_of([&] { x[-4]; }), "index out of range"));
  EXPECT_TRUE(contains(error_of([&] { x[{0, 0, 0}]; }), "more indices than axes"));
  EXPECT_TRUE(contains(error_of([&] {
                         x[{Index::ellipsis(), Index::ellipsis()}];
                       }),
                       "more than one ellipsis"));
  EXPECT_TRUE(contains(error_of([&] { x[{Slice{0, 2, 0}}]; }), "a step of 0"));
  EXPECT_TRUE(contains(error_of([] { Tensor(1.f)[0]; }), "more indices than axes"));
  EXPECT_TRUE(contains(error_of([] { Tensor()[0]; }), "undefined"));
}

TEST(Indexing, OfStrings) {
  const Tensor x = Tensor::strings({"a", "b", "c", "d"}, {2, 2});
  EXPECT_EQ(texts(x[{Slice{}, 1}]), (Texts{"b", "d"}));
  EXPECT_EQ(texts(x[1]), (Texts{"c", "d"}));
}

TEST(StridedSliceGrad, PutsTheSliceBack) {
  const Tensor t = strided_slice_grad({5}, 1, 5, 2, iota({2}));
  EXPECT_EQ(list<float>(t), (Floats{0, 0, 0, 1, 0}));
  EXPECT_TRUE(contains(error_of([] { strided_slice_grad({5}, 1, 5, 2, iota({3})); }),
                       "has not the shape of the slice"));
}

}  // namespace
}  // namespace weir
