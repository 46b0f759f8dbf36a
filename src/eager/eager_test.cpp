#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/operators.h>
#include <weir/ops.h>

namespace weir {
namespace {

std::vector<float> floats(const Tensor& t) {
  const auto d = t.data<float>();
  return {d.begin(), d.end()};
}

TEST(Eager, AddBroadcasts) {
  const Tensor a{{1.f, 2.f}, {3.f, 4.f}};
  EXPECT_EQ(floats(a + Tensor{10.f, 20.f}), (std::vector<float>{11, 22, 13, 24}));
  EXPECT_EQ(floats(1 + a * 2), (std::vector<float>{3, 5, 7, 9}));
}

TEST(Eager, MatMulTransposes) {
  const Tensor a{{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}};
  EXPECT_EQ(floats(matmul(a, a, false, true)), (std::vector<float>{14, 32, 32, 77}));
}

TEST(Eager, SumReducesNamedAxes) {
  const Tensor a{{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}};
  EXPECT_EQ(floats(sum(a, 0)), (std::vector<float>{5, 7, 9}));
  EXPECT_EQ(sum(a, -1, true).shape(), (Shape{2, 1}));
  EXPECT_EQ(sum(a).item<float>(), 21);
}

TEST(Eager, ReshapeSharesMemory) {
  const Tensor a = Tensor::zeros({10, 10});
  const Tensor b = reshape(a, {-1, 50});
  EXPECT_EQ(b.shape(), (Shape{2, 50}));
  EXPECT_EQ(a.raw_data(), b.raw_data());
}

TEST(Eager, ErrorNamesTheOpTheLineAndTheShapes) {
  const Tensor a = Tensor::zeros({2, 3});
  try {
    matmul(a, a);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::invalid_argument);
    EXPECT_NE(e.info().where.find("eager_test.cpp"), std::string::npos);
    EXPECT_EQ(e.info().got, "a float32[2, 3], b float32[2, 3]");
    EXPECT_EQ(e.info().what, "MatMul: inner dimensions differ");
  }
}

TEST(Eager, DtypesAreNotPromoted) {
  EXPECT_THROW(Tensor{1.f} + Tensor{1}, Error);
  EXPECT_THROW(Tensor{1} + 1.5, Error);
  EXPECT_EQ((Tensor{1} + 2).dtype(), DType::int32);
}

TEST(Eager, VariableReadIsASnapshot) {
  Variable v(Tensor::zeros({100}), "v");
  const Tensor before = v;
  v.assign_sub(1.f);
  EXPECT_EQ(before.data<float>()[0], 0);
  EXPECT_EQ(v.value().data<float>()[99], -1);
  EXPECT_THROW(v.assign(Tensor::zeros({2})), Error);
  EXPECT_EQ(v.version(), 2u);
}

TEST(Eager, VariableIsUpdatedInPlaceWhenNobodyElseSeesIt) {
  Variable v(Tensor::zeros({100}), "v");
  const void* memory = v.value().raw_data();
  v.assign_add(2.f);
  EXPECT_EQ(v.value().raw_data(), memory);
}

}  // namespace
}  // namespace weir
