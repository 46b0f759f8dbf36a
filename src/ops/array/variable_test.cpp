#include <weir/variable.h>

#include "ops/array/array_test.h"

namespace weir {
namespace {

TEST(VariableScatter, WritesRows) {
  Variable v(iota({3, 2}), "v");
  scatter_update(v, Tensor{2, 0}, Tensor{{9.f, 9.f}, {8.f, 8.f}});
  EXPECT_EQ(list<float>(v), (Floats{8, 8, 2, 3, 9, 9}));
  EXPECT_EQ(scatter_add(v, Tensor(1), Tensor{10.f, 10.f}).shape(), (Shape{3, 2}));
  EXPECT_EQ(list<float>(v), (Floats{8, 8, 12, 13, 9, 9}));
}

TEST(VariableScatter, DuplicatesAccumulate) {
  Variable v(Tensor{1.f, 2.f}, "v");
  scatter_add(v, Tensor{0, 0}, Tensor{1.f, 1.f});
  EXPECT_EQ(list<float>(v), (Floats{3, 2}));
  scatter_sub(v, Tensor{0, 0}, Tensor{1.f, 1.f});
  scatter_mul(v, Tensor{1, 1}, Tensor{3.f, 2.f});
  EXPECT_EQ(list<float>(v), (Floats{1, 12}));
  scatter_div(v, Tensor{1}, Tensor{4.f});
  scatter_max(v, Tensor{0}, Tensor{5.f});
  scatter_min(v, Tensor{1}, Tensor{7.f});
  EXPECT_EQ(list<float>(v), (Floats{5, 3}));
  scatter_update(v, Tensor{0, 1}, v);
  scatter_nd_add(v, Tensor{{1}}, Tensor{1.f});
  EXPECT_EQ(list<float>(v), (Floats{5, 4}));
}

TEST(VariableScatter, FailureKeepsTheValue) {
  Variable v(Tensor{4, 6}, "v");
  EXPECT_TRUE(contains(error_of([&] {
                         scatter_add(v, Tensor{0, 2}, Tensor{1, 1});
                       }),
                       "is not in [0, 2)"));
  EXPECT_TRUE(contains(error_of([&] {
                         scatter_div(v, Tensor{0, 1}, Tensor{2, 0});
                       }),
                       "integer division by zero"));
  EXPECT_TRUE(contains(error_of([&] {
                         scatter_add(v, Tensor{0}, Tensor{1, 1});
                       }),
                       "updates has another shape"));
  EXPECT_EQ(list<std::int32_t>(v), (Ints32{4, 6}));
}

TEST(VariableSlice, IsAssigned) {
  Variable v(iota({3, 2}), "v");
  const Tensor before = v;
  assign_slice(v, {Slice{1, 3}}, 7);
  EXPECT_EQ(list<float>(v), (Floats{0, 1, 7, 7, 7, 7}));
  assign_slice(v, {Slice{}, 0}, Tensor{1.f, 2.f, 3.f});
  EXPECT_EQ(list<float>(v), (Floats{1, 1, 2, 7, 3, 7}));
  EXPECT_EQ(list<float>(before), (Floats{0, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(contains(error_of([&] { assign_slice(v, {3}, 0); }), "index out of range"));
  EXPECT_TRUE(contains(error_of([&] {
                         assign_slice(v, {0}, Tensor{1.f, 2.f, 3.f});
                       }),
                       "does not broadcast"));
}

TEST(VariableSlice, OfStringsAndBools) {
  Variable s(Tensor{"a", "b"}, "s");
  assign_slice(s, {1}, Tensor("z"));
  EXPECT_EQ(texts(s), (Texts{"a", "z"}));
  Variable b(Tensor{true, true}, "b");
  assign_slice(b, {Slice{0, 1}}, false);
  EXPECT_EQ(list<bool>(b), (std::vector<bool>{false, true}));
}

TEST(SetSlice, LeavesTheOperandAlone) {
  const Tensor x = iota({4});
  EXPECT_EQ(list<float>(set_slice(x, {Slice{Slice::kOpen, Slice::kOpen, 2}}, Tensor{9.f, 8.f})),
            (Floats{9, 1, 8, 3}));
  EXPECT_EQ(list<float>(x), (Floats{0, 1, 2, 3}));
}

TEST(Gather, OfAVariableIsGatherOfItsValue) {
  const Variable v(iota<int>({3, 2}), "v");
  EXPECT_EQ(list<std::int32_t>(gather(v, Tensor{{1}, {0}, {1}}, 1, 1)), (Ints32{1, 2, 5}));
}

}  // namespace
}  // namespace weir
