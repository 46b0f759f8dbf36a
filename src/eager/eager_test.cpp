#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/op_def.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <atomic>
#include <thread>

#include "kernels/select.h"

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

Tensor pattern(std::int64_t rows, std::int64_t columns) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows * columns; ++i)
    values.push_back(float(i * 37 % 101) / 7 - 5);
  return Tensor::from(values, {rows, columns});
}

std::vector<float> values_of(const Tensor& t) {
  const auto data = t.data<float>();
  return {data.begin(), data.end()};
}

/// The product with a copy of `b`, which no earlier call has seen.
std::vector<float> fresh_product(const Tensor& a, const Tensor& b, bool transpose_b = false) {
  return values_of(matmul(a, Tensor::from(values_of(b), b.shape()), false, transpose_b));
}

TEST(Eager, AnOperandThatIsUsedAgainKeepsItsPackedForm) {
  const Tensor a = pattern(70, 128), w = pattern(128, 96);
  const std::vector<float> expected = fresh_product(a, w);
  const std::int64_t before = memory_stats().in_use;
  EXPECT_EQ(values_of(matmul(a, w)), expected);
  EXPECT_EQ(memory_stats().in_use, before);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values_of(matmul(a, w)), expected);
  EXPECT_GE(memory_stats().in_use, before + w.nbytes());
  const Tensor row = pattern(1, 128), other = pattern(70, 96);
  EXPECT_EQ(values_of(matmul(row, w)), fresh_product(row, w));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values_of(matmul(other, w, false, true)), fresh_product(other, w, true));
  const Tensor part = w.slice(0, 64), left = pattern(70, 64);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values_of(matmul(left, part)), fresh_product(left, part));
}

TEST(Eager, APackedFormGoesWhenTheValueChanges) {
  const Tensor a = pattern(70, 128);
  Variable w(pattern(128, 96), "w");
  for (int i = 0; i < 3; ++i)
    matmul(a, w);
  const void* memory = w.value().raw_data();
  w.assign_add(1.f);
  ASSERT_EQ(w.value().raw_data(), memory);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(values_of(matmul(a, w)), fresh_product(a, w.value()));
}

TEST(Eager, AStoredKernelIsFoundBeforeItsOpWasUsed) {
  const rt::Kernel* used = nullptr;
  ASSERT_EQ(kernels::candidates("Atan2", {&used, 1}), 1u);
  EXPECT_EQ(kernels::find(rt::kernel_id(used->name)), used);
  EXPECT_EQ(kernels::find(rt::kernel_id("no/such/kernel")), nullptr);
  EXPECT_EQ(kernels::candidates("NoSuchOp", {&used, 1}), 0u);
}

TEST(Eager, OpsAreMadeOnceByManyThreads) {
  std::vector<const OpDef*> found(8);
  {
    std::vector<std::jthread> threads;
    for (auto& op : found)
      threads.emplace_back([&op] { op = find_op("MatrixDeterminant"); });
  }
  for (const OpDef* op : found) {
    ASSERT_NE(op, nullptr);
    EXPECT_EQ(op, found[0]);
    EXPECT_EQ(op->name(), "MatrixDeterminant");
  }
  EXPECT_EQ(find_op(""), nullptr);
  EXPECT_EQ(find_op("MatrixDet"), nullptr);
}

TEST(Eager, ChoicesOfKernelsAreMadeOncePerDtypes) {
  const auto add_all = [] {
    for (DType t : {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8})
      (void)(Tensor::ones({2}, t) + Tensor::ones({2}, t));
  };
  add_all();
  const std::size_t before = kernels::remembered_choices();
  for (int i = 0; i < 100; ++i)
    add_all();
  EXPECT_EQ(kernels::remembered_choices(), before);
}

TEST(Eager, OpsRunWhileOthersAreRegistered) {
  std::atomic<bool> done = false;
  std::thread running([&] {
    while (!done)
      EXPECT_EQ((Tensor{1.f} + 1).item<float>(), 2);
  });
  for (int i = 0; i < 300; ++i) {
    const OpDef op = OpDef("Registered" + std::to_string(i))
                         .type("T", DType::float32)
                         .input("x", "T")
                         .output("y", "T")
                         .infer([](InferContext& c) { c.set(0, c.shape(0).to_shape()); });
    register_ops({&op, 1});
  }
  done = true;
  running.join();
  EXPECT_NE(find_op("Registered299"), nullptr);
}

TEST(Eager, AUsersMemoryIsNeverWritten) {
  float memory[100] = {1.f};
  const auto lent = [&] { return Tensor::wrap(memory, DType::float32, {100}, nullptr); };
  EXPECT_EQ((lent() * 2.f).data<float>()[0], 2);
  EXPECT_EQ(memory[0], 1);
  Variable v(lent(), "v");
  v.assign_add(1.f);
  EXPECT_EQ(v.value().data<float>()[0], 2);
  EXPECT_EQ(memory[0], 1);
}

std::string message_of(auto&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(CallOp, ChecksTheAttributesOfTheCaller) {
  const Tensor x{1.f, 2.f};
  const OpDef& sum = *find_op("Sum");
  const std::int64_t axis[] = {0};
  EXPECT_EQ(call_op(sum, {x}, {rt::Attr::int_list(axis, 1)})[0].item<float>(), 3);
  const auto message = [&](rt::Attr a) { return message_of([&] { call_op(sum, {x}, {a}); }); };
  EXPECT_NE(message(rt::Attr::string("a", 1)).find("another kind"), std::string::npos);
  EXPECT_NE(message(rt::Attr::operand(99)).find("operand 99 of 1"), std::string::npos);
  EXPECT_NE(message(rt::Attr::operand(-1)).find("another kind"), std::string::npos);
  EXPECT_NE(message(rt::Attr::operand(0)).find("another kind"), std::string::npos);
  EXPECT_NE(message_of([&] {
              call_op(sum, {x, 0}, {rt::Attr::operand(1)});
            }).find("another kind"),
            std::string::npos);
  EXPECT_EQ(call_op(sum, {x, Tensor(0)}, {rt::Attr::operand(1)})[0].item<float>(), 3);
  EXPECT_NE(message_of([&] {
              call_op(sum, {x}, {{}, {}, {}, {}, {}, {}});
            }).find("more attributes"),
            std::string::npos);
  const OpDef& cast = *find_op("Cast");
  EXPECT_NE(message_of([&] { call_op(cast, {x}, {rt::Attr::real(1)}); }).find("another kind"),
            std::string::npos);
  EXPECT_NE(message_of([&] { call_op(cast, {x}, {rt::Attr::dtype(DType(77))}); }).find("Cast"),
            std::string::npos);
}

TEST(RegisterOps, RefusesANameTwiceAndTooManyTypes) {
  OpDef op("EagerTestTwice");
  op.type("T", kFloating).input("x", "T").output("y", "T").infer([](InferContext& c) {
    c.set(0, c.shape(0).to_shape());
  });
  const OpDef twice[] = {op, op};
  EXPECT_NE(message_of([&] { register_ops(twice); }).find("of this name"), std::string::npos);
  EXPECT_EQ(find_op("EagerTestTwice"), nullptr);
  OpDef wide("EagerTestWide");
  wide.output("y", DType::float32).infer([](InferContext& c) { c.set(0, Shape{}); });
  for (int i = 0; i < 9; ++i)
    wide.type("T" + std::to_string(i), kFloating);
  EXPECT_NE(message_of([&] { register_ops({&wide, 1}); }).find("at most 8"), std::string::npos);
}

TEST(Scalar, AnUnsignedNumberBeyond63BitsKeepsItsValue) {
  const std::uint64_t big = (std::uint64_t(1) << 63) + 5;
  const Tensor sum = Tensor::zeros({}, DType::uint64) + big;
  EXPECT_EQ(sum.data<std::uint64_t>()[0], big);
  EXPECT_EQ((Tensor(0.f) + big).item<float>(), float(big));
  EXPECT_EQ(Operand(big).to_tensor().dtype(), DType::uint64);
  EXPECT_NE(message_of([&] { (void)(Tensor(std::int64_t(0)) + big); }).find("9223372036854775813"),
            std::string::npos);
}

}  // namespace
}  // namespace weir
