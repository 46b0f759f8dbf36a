#include <weir/ops/math.h>

#include <cmath>

#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(ScatterNd, AddsDuplicates) {
  EXPECT_EQ(list<float>(scatter_nd(Tensor{{1}, {3}, {1}}, Tensor{1.f, 2.f, 4.f}, 4)),
            (Floats{0, 5, 0, 2}));
  EXPECT_EQ(list<float>(scatter_nd(Tensor{{1}}, Tensor{{1.f, 2.f}}, {2, 2})), (Floats{0, 0, 1, 2}));
  EXPECT_EQ(list<std::int32_t>(scatter_nd(Tensor{{0, 1}}, Tensor{7}, {2, 2})),
            (Ints32{0, 7, 0, 0}));
}

TEST(ScatterNd, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(contains(error_of([] { scatter_nd(Tensor{{4}}, Tensor{1.f}, 4); }),
                       "indices[0,0] = 4 is not in [0, 4)"));
  EXPECT_TRUE(contains(error_of([] { scatter_nd(Tensor{{-1}}, Tensor{1.f}, 4); }),
                       "indices[0,0] = -1 is not in [0, 4)"));
  EXPECT_TRUE(contains(error_of([] {
                         scatter_nd(Tensor{{0}}, Tensor{1.f, 2.f}, 4);
                       }),
                       "updates has another shape"));
  EXPECT_TRUE(contains(error_of([] {
                         scatter_nd(Tensor{{0, 0}}, Tensor{1.f}, 4);
                       }),
                       "more coordinates than axes"));
  EXPECT_TRUE(contains(error_of([] { scatter_nd(Tensor{{0}}, Tensor{1.f}, -4); }), "negative"));
}

TEST(TensorScatter, UpdatesACopy) {
  const Tensor x = iota({4});
  const Tensor y = tensor_scatter_update(x, Tensor{{1}, {3}}, Tensor{9.f, 8.f});
  EXPECT_EQ(list<float>(y), (Floats{0, 9, 2, 8}));
  EXPECT_EQ(list<float>(x), (Floats{0, 1, 2, 3}));
  EXPECT_EQ(texts(tensor_scatter_update(Tensor{"a", "b"}, Tensor{{0}}, Tensor{"z"})),
            (Texts{"z", "b"}));
}

TEST(TensorScatter, Combines) {
  const Tensor at{{1}, {1}};
  EXPECT_EQ(list<float>(tensor_scatter_add(iota({3}), at, Tensor{1.f, 2.f})), (Floats{0, 4, 2}));
  EXPECT_EQ(list<float>(tensor_scatter_sub(iota({3}), at, Tensor{1.f, 2.f})), (Floats{0, -2, 2}));
  EXPECT_EQ(list<float>(tensor_scatter_max(iota({3}), at, Tensor{5.f, 2.f})), (Floats{0, 5, 2}));
  EXPECT_EQ(list<std::int32_t>(tensor_scatter_min(Tensor{0, 1, 2}, at, Tensor{-5, 2})),
            (Ints32{0, -5, 2}));
  EXPECT_TRUE(std::isnan(tensor_scatter_max(iota({2}), Tensor{{0}}, Tensor{NAN}).data<float>()[0]));
}

TEST(Segment, SumAndMeanNeedSortedIds) {
  const Tensor data = iota({4, 2});
  EXPECT_EQ(list<float>(segment_sum(data, Tensor{0, 0, 2, 2})), (Floats{2, 4, 0, 0, 10, 12}));
  EXPECT_EQ(list<float>(segment_mean(data, Tensor{0, 0, 0, 1})), (Floats{2, 3, 6, 7}));
  EXPECT_EQ(segment_sum(Tensor::zeros({0, 2}), Tensor::zeros({0}, DType::int32)).shape(),
            (Shape{0, 2}));
  EXPECT_TRUE(contains(error_of([&] {
                         segment_sum(data, Tensor{0, 1, 0, 1});
                       }),
                       "ids must be sorted"));
  EXPECT_TRUE(contains(error_of([&] {
                         segment_sum(data, Tensor{-1, 0, 0, 1});
                       }),
                       "ids must be sorted"));
  EXPECT_TRUE(contains(error_of([&] {
                         segment_sum(data, Tensor{0, 1});
                       }),
                       "another number of ids"));
}

TEST(UnsortedSegment, DropsNegativeIdsAndFillsEmptySegments) {
  const Tensor data{1.f, 2.f, 3.f, 4.f}, ids{2, -1, 0, 2};
  EXPECT_EQ(list<float>(unsorted_segment_sum(data, ids, 3)), (Floats{3, 0, 5}));
  EXPECT_EQ(list<float>(unsorted_segment_prod(data, ids, 3)), (Floats{3, 1, 4}));
  EXPECT_EQ(list<float>(unsorted_segment_max(data, ids, 3)),
            (Floats{3, std::numeric_limits<float>::lowest(), 4}));
  EXPECT_EQ(list<float>(unsorted_segment_min(data, ids, 3)),
            (Floats{3, std::numeric_limits<float>::max(), 1}));
  EXPECT_EQ(list<std::int8_t>(unsorted_segment_max(Tensor{std::int8_t(-3)}, Tensor{1}, 2)),
            (std::vector<std::int8_t>{-128, -3}));
  EXPECT_EQ(list<float>(unsorted_segment_sum(iota({2, 2}), Tensor{{0, 1}, {1, 1}}, 2)),
            (Floats{0, 6}));
}

TEST(UnsortedSegment, HalfTypesAreSummedInFloat32) {
  const Tensor ones = fill(5000, Tensor::ones({}, DType::float16));
  const Tensor total = unsorted_segment_sum(ones, zeros_like(cast(ones, DType::int32)), 1);
  EXPECT_EQ(cast(total, DType::float32).item<float>(), 5000);
}

TEST(UnsortedSegment, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(contains(error_of([] {
                         unsorted_segment_sum(iota({2}), Tensor{0, 3}, 3);
                       }),
                       "segment_ids[1] = 3 is not in [0, 3)"));
  EXPECT_TRUE(contains(error_of([] {
                         unsorted_segment_sum(iota({2}), Tensor{0, 1}, -1);
                       }),
                       "num_segments is negative"));
  EXPECT_TRUE(contains(error_of([] { unsorted_segment_sum(iota({2}), Tensor{0}, 1); }),
                       "not the beginning"));
}

TEST(TopK, IsSortedWithTiesByLowerIndex) {
  const auto r = top_k(Tensor{{1.f, 3.f, 3.f, 2.f}, {0.f, -1.f, NAN, 5.f}}, 3);
  EXPECT_EQ(list<float>(r.values), (Floats{3, 3, 2, 5, 0, -1}));
  EXPECT_EQ(list<std::int32_t>(r.indices), (Ints32{1, 2, 3, 3, 0, 1}));
  EXPECT_EQ(top_k(iota({3}), 0).values.shape(), (Shape{0}));
  EXPECT_TRUE(contains(error_of([] { top_k(iota({3}), 4); }), "k out of range"));
  EXPECT_TRUE(contains(error_of([] { top_k(iota({3}), -1); }), "k out of range"));
  EXPECT_TRUE(contains(error_of([] { top_k(Tensor(1.f), 1); }), "scalar"));
}

TEST(Sort, OrdersAlongAnAxis) {
  EXPECT_EQ(list<float>(sort(Tensor{3.f, 1.f, 2.f})), (Floats{1, 2, 3}));
  EXPECT_EQ(list<float>(sort(Tensor{3.f, 1.f, 2.f}, -1, true)), (Floats{3, 2, 1}));
  EXPECT_EQ(list<std::int32_t>(sort(Tensor{{3, 1}, {-2, INT32_MIN}}, 0)),
            (Ints32{-2, INT32_MIN, 3, 1}));
  EXPECT_EQ(list<std::uint8_t>(sort(Tensor{std::uint8_t(3), std::uint8_t(255), std::uint8_t(0)})),
            (std::vector<std::uint8_t>{0, 3, 255}));
  EXPECT_EQ(list<std::int32_t>(argsort(Tensor{2.f, 1.f, 2.f, 1.f})), (Ints32{1, 3, 0, 2}));
  EXPECT_EQ(list<std::int32_t>(argsort(Tensor{2.f, NAN, 1.f})), (Ints32{2, 0, 1}));
  EXPECT_EQ(sort(Tensor::zeros({0, 3})).shape(), (Shape{0, 3}));
}

TEST(SearchSorted, FindsThePlace) {
  EXPECT_EQ(list<std::int32_t>(searchsorted(Tensor{1.f, 3.f, 3.f, 5.f}, Tensor{0.f, 3.f, 6.f})),
            (Ints32{0, 1, 4}));
  EXPECT_EQ(
      list<std::int32_t>(searchsorted(Tensor{1.f, 3.f, 3.f, 5.f}, Tensor{0.f, 3.f, 6.f}, true)),
      (Ints32{0, 3, 4}));
  EXPECT_EQ(searchsorted(Tensor::zeros({2, 2, 3}), Tensor::zeros({2, 2, 5})).shape(),
            (Shape{2, 2, 5}));
  EXPECT_EQ(searchsorted(Tensor::zeros({2, 2, 0}), Tensor::zeros({2, 2, 5})).shape(),
            (Shape{2, 2, 5}));
  EXPECT_TRUE(contains(error_of([] {
                         searchsorted(Tensor::zeros({2, 3}), Tensor::zeros({3, 3}));
                       }),
                       "leading axes differ"));
}

TEST(Unique, KeepsTheOrderOfFirstAppearance) {
  const auto r = unique(Tensor{4, 2, 4, 7, 2});
  EXPECT_EQ(list<std::int32_t>(r.y), (Ints32{4, 2, 7}));
  EXPECT_EQ(list<std::int32_t>(r.idx), (Ints32{0, 1, 0, 2, 1}));
  EXPECT_EQ(texts(unique(Tensor{"b", "a", "b"}).y), (Texts{"b", "a"}));
  EXPECT_EQ(unique(Tensor{0.f, -0.f, NAN, NAN}).y.shape(), (Shape{3}));
  EXPECT_EQ(list<std::int32_t>(unique_with_counts(Tensor{4, 2, 4}).count), (Ints32{2, 1}));
  EXPECT_EQ(unique(Tensor::zeros({0})).y.shape(), (Shape{0}));
  EXPECT_TRUE(contains(error_of([] { unique(iota({2, 2})); }), "must be a vector"));
}

TEST(Unique, OfManyValues) {
  std::vector<std::int64_t> v(10000);
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = std::int64_t(i * i % 1009);
  const auto r = unique(Tensor::from(v), DType::int64);
  EXPECT_EQ(r.y.size(), 505);  // squares modulo a prime: (p + 1) / 2 of them
  EXPECT_EQ(list<std::int64_t>(gather(r.y, r.idx)), v);
}

}  // namespace
}  // namespace weir
