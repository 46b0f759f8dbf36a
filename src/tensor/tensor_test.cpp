#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <weir/device.h>
#include <weir/tensor.h>

#include <cmath>
#include <complex>
#include <fstream>

#include "tensor/convert.h"
#include "tensor/tensor_impl.h"

namespace weir {
namespace {

std::string message(const auto& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

template <class T>
std::vector<T> elements(const Tensor& t) {
  const auto d = t.data<T>();
  return {d.begin(), d.end()};
}

TEST(Tensor, ScalarsAdoptTheirCppType) {
  EXPECT_EQ(Tensor(1.5f).dtype(), DType::float32);
  EXPECT_EQ(Tensor(1.5).dtype(), DType::float64);
  EXPECT_EQ(Tensor(3).dtype(), DType::int32);
  EXPECT_EQ(Tensor(std::int64_t{1} << 33).dtype(), DType::int64);
  EXPECT_EQ(Tensor(true).dtype(), DType::boolean);
  EXPECT_EQ(Tensor(std::complex<double>(1, 2)).dtype(), DType::complex128);
  EXPECT_EQ(Tensor("text").dtype(), DType::string);
  EXPECT_EQ(Tensor(3).rank(), 0);
  EXPECT_EQ(Tensor(3).size(), 1);
}

TEST(Tensor, NestedLists) {
  const Tensor m{{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}};
  EXPECT_EQ(m.shape(), (Shape{2, 3}));
  EXPECT_EQ(elements<float>(m), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const Tensor deep{{{{1, 2}}, {{3, 4}}}};
  EXPECT_EQ(deep.shape(), (Shape{1, 2, 1, 2}));
  EXPECT_EQ(Tensor({1, 2, 3}).shape(), (Shape{3}));
}

TEST(Tensor, RaggedListsAreRefused) {
  EXPECT_PRED2(contains, message([] { Tensor({{1, 2}, {3}}); }), "non-rectangular");
  EXPECT_PRED2(contains, message([] { Tensor({{{1}, {2}}, {{3}}}); }), "non-rectangular");
}

TEST(Tensor, FromVectorsAndSpans) {
  const std::vector<float> v{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(Tensor::from(v, {2, 3}).shape(), (Shape{2, 3}));
  EXPECT_EQ(Tensor::from(v).shape(), (Shape{6}));
  EXPECT_EQ(elements<float>(Tensor::from(std::span<const float>(v).first(2), {2})),
            (std::vector<float>{1, 2}));
  EXPECT_EQ(elements<bool>(Tensor::from(std::vector<bool>{true, false}, {2})),
            (std::vector<bool>{true, false}));
}

TEST(Tensor, OneValueFillsAnyOtherNumberMustFit) {
  EXPECT_EQ(elements<float>(Tensor::from(std::vector<float>{7}, {3})),
            (std::vector<float>{7, 7, 7}));
  EXPECT_EQ(elements<int>(Tensor::full({2}, 9)), (std::vector<int>{9, 9}));
  EXPECT_PRED2(
      contains, message([] { Tensor::from(std::vector<int>(7, 1), {5}); }), "7 values for [5]");
  EXPECT_EQ(Tensor::from(std::vector<float>{}, {0, 3}).size(), 0);
  EXPECT_EQ(Tensor::from(std::vector<float>{1}, {0}).size(), 0);
}

TEST(Tensor, WrapUsesMemoryInPlace) {
  static int deleted = 0;
  deleted = 0;
  float memory[100] = {5};
  {
    const Tensor t = Tensor::wrap(
        memory,
        DType::float32,
        {10, 10},
        [](void*, void* n) { ++*static_cast<int*>(n); },
        &deleted);
    EXPECT_EQ(t.raw_data(), memory);
    const Tensor part = TensorImpl::view(t, Shape{2, 10}, 80);
    EXPECT_EQ(part.raw_data(), memory + 20);
    EXPECT_EQ(deleted, 0);
  }
  EXPECT_EQ(deleted, 1);
  EXPECT_PRED2(
      contains, message([] { Tensor::wrap(nullptr, DType::float32, {2}, nullptr); }), "null data");
}

TEST(Tensor, HandlesShareAndViewsAreTyped) {
  const Tensor a = Tensor::full({100}, 2.f);
  const Tensor b = a;
  EXPECT_EQ(a.raw_data(), b.raw_data());
  EXPECT_PRED2(contains, message([&] { (void)a.data<double>(); }), "float32[100] read as float64");
  static_assert(std::is_same_v<decltype(a.data<float>()), std::span<const float>>);
}

TEST(Tensor, UndefinedTensorsSaySo) {
  const Tensor t;
  EXPECT_FALSE(t.defined());
  EXPECT_THROW(t.dtype(), Error);
  EXPECT_THROW(t.shape(), Error);
  EXPECT_THROW(t.raw_data(), Error);
  EXPECT_EQ(t.describe(), "undefined");
  Tensor a(1), b = std::move(a);
  EXPECT_FALSE(a.defined());
  EXPECT_EQ(b.item<int>(), 1);
}

TEST(Tensor, AxesCountFromBothEnds) {
  const Tensor t = Tensor::zeros({2, 3});
  EXPECT_EQ(t.dim(-1), 3);
  EXPECT_EQ(t.dim(0), 2);
  EXPECT_PRED2(contains, message([&] { t.dim(2); }), "axis 2 of float32[2, 3]");
}

TEST(Tensor, ItemConverts) {
  EXPECT_EQ(Tensor(2.75).item<int>(), 2);
  EXPECT_EQ(Tensor(3).item<double>(), 3.0);
  EXPECT_EQ(Tensor(true).item<float>(), 1.f);
  EXPECT_EQ(Tensor({{5}}).item<std::int64_t>(), 5);
  EXPECT_EQ(Tensor(std::uint64_t{1} << 63).item<std::uint64_t>(), std::uint64_t{1} << 63);
  EXPECT_THROW(Tensor({1, 2}).item<int>(), Error);
  EXPECT_THROW(Tensor("x").item<int>(), Error);
}

TEST(Tensor, TruthOfOneElementOnly) {
  EXPECT_TRUE(Tensor(2).truth());
  EXPECT_FALSE(Tensor({{0.f}}).truth());
  EXPECT_TRUE(Tensor(std::nan("")).truth());
  EXPECT_FALSE(Tensor("").truth());
  EXPECT_TRUE(Tensor("0").truth());
  EXPECT_PRED2(contains, message([] { (void)bool(Tensor({1, 2})); }), "ambiguous");
  EXPECT_PRED2(contains, message([] { Tensor::zeros({0}).truth(); }), "0 elements");
}

TEST(Tensor, Strings) {
  const Tensor t({"a", "longer than the inline space of anything", ""});
  EXPECT_EQ(t.shape(), (Shape{3}));
  EXPECT_EQ(std::string_view(t.data<StringView>()[1]), "longer than the inline space of anything");
  EXPECT_EQ(t.data<StringView>()[2].size, 0);
  const Tensor row = TensorImpl::view(t, Shape{1}, sizeof(StringView));
  EXPECT_EQ(std::string_view(row.data<StringView>()[0]).substr(0, 6), "longer");
  EXPECT_THROW(Tensor::strings({"a", "b"}, {3}), Error);
}

TEST(Tensor, ComplexElements) {
  const Tensor t{std::complex<float>(1, -2), std::complex<float>(0, 3)};
  EXPECT_EQ(t.dtype(), DType::complex64);
  EXPECT_EQ(t.data<std::complex<float>>()[1], std::complex<float>(0, 3));
  EXPECT_EQ(t.nbytes(), 16);
}

TEST(Tensor, HalfTypesRound) {
  EXPECT_EQ(tensor::float_to_half(1.0f), 0x3c00);
  EXPECT_EQ(tensor::float_to_half(65520.f), 0x7c00);  // rounds up to infinity
  EXPECT_EQ(tensor::float_to_half(65519.f), 0x7bff);
  EXPECT_EQ(tensor::float_to_half(2049.f), 0x6800);  // a tie: to even
  EXPECT_EQ(tensor::float_to_half(2051.f), 0x6802);
  EXPECT_EQ(tensor::float_to_half(0x1p-24f), 1);  // the least denormal
  EXPECT_EQ(tensor::float_to_half(0x1p-26f), 0);
  EXPECT_EQ(tensor::float_to_bfloat16(1.00390625f), 0x3f80);  // a tie: to even
  EXPECT_EQ(tensor::float_to_bfloat16(1.01171875f), 0x3f82);
  EXPECT_TRUE(std::isnan(tensor::half_to_float(tensor::float_to_half(std::nanf("")))));
  EXPECT_TRUE(std::isnan(tensor::bfloat16_to_float(tensor::float_to_bfloat16(std::nanf("")))));
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits)
    ASSERT_EQ(tensor::float_to_half(tensor::half_to_float(std::uint16_t(bits))), bits);
}

TEST(Tensor, ZerosAndOnesOfEveryNumber) {
  for (int i = 1; i < 32; ++i) {
    const auto dtype = DType(i);
    if (!is_valid(dtype) || dtype == DType::string) continue;
    EXPECT_EQ(Tensor::ones({1}, dtype).item<double>(), 1) << name(dtype);
    EXPECT_EQ(Tensor::zeros({1}, dtype).item<double>(), 0) << name(dtype);
  }
}

TEST(Tensor, RankAndSizeLimits) {
  EXPECT_EQ(Tensor::zeros(Shape(std::vector<std::int64_t>(254, 1))).rank(), 254);
  EXPECT_PRED2(contains,
               message([] { Tensor::zeros(Shape(std::vector<std::int64_t>(255, 1))); }),
               "too many dimensions");
  const std::int64_t big = std::int64_t{1} << 32;
  EXPECT_PRED2(contains, message([&] { Tensor::zeros({big, big}); }), "too large");
  EXPECT_PRED2(contains, message([&] { Tensor::zeros({0, big, big}); }), "too large");
  EXPECT_PRED2(contains, message([] { Tensor::zeros({-1, 2}); }), "static shape");
}

TEST(Tensor, AddressesAreAligned) {
  for (std::int64_t n : {1, 15, 16, 17, 1000, 100000}) {
    const Tensor t = Tensor::zeros({n});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.raw_data()) % 64, 0u) << n;
  }
}

TEST(Allocator, CountsReusesAndLimits) {
  const MemoryStats before = memory_stats();
  const void* memory = nullptr;
  {
    const Tensor t = Tensor::zeros({1 << 18});
    memory = t.raw_data();
    EXPECT_GE(memory_stats().in_use, before.in_use + (1 << 20));
    EXPECT_GE(memory_stats().peak, before.in_use + (1 << 20));
    EXPECT_GT(memory_stats().allocations, before.allocations);
    EXPECT_GE(memory_stats().allocated, before.allocated + (1 << 20));
  }
  EXPECT_EQ(memory_stats().in_use, before.in_use);
#if !defined(WEIR_CHECKED_MEMORY)  // which keeps no blocks
  EXPECT_EQ(Tensor::zeros({1 << 18}).raw_data(), memory);
  EXPECT_GE(memory_stats().cached, 1 << 20);
#endif
  release_cached_memory();
  EXPECT_EQ(memory_stats().cached, 0);
  reset_peak_memory();
  EXPECT_EQ(memory_stats().peak, memory_stats().in_use);
}

constexpr std::int64_t kMiB = 1 << 20;

std::int64_t used_address_space() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

[[noreturn]] void allocate_where_only_kept_memory_is_left() {
  (void)TensorImpl::concrete(DType::uint8, Shape{512 * kMiB});
  const rlimit limit{rlim_t(used_address_space() + 64 * kMiB), RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
  (void)TensorImpl::concrete(DType::uint8, Shape{300 * kMiB});
  std::_Exit(0);
}

TEST(Allocator, WhatIsKeptForReuseIsGivenBackWhenTheMachineRefuses) {
  if (used_address_space() > 64 * 1024 * kMiB) GTEST_SKIP() << "sanitizers reserve address space";
  EXPECT_EXIT(allocate_where_only_kept_memory_is_left(), ::testing::ExitedWithCode(0), "");
}

TEST(Threads, AreAsManyAsAskedFor) {
  const int before = num_threads();
  set_num_threads(3);
  EXPECT_EQ(num_threads(), 3);
  set_num_threads(0);
  EXPECT_EQ(num_threads(), 1);
  set_num_threads(before);
}

TEST(Allocator, TheLimitIsAnErrorThatChangesNothing) {
  set_memory_limit(memory_stats().in_use + (1 << 20));
  const std::int64_t in_use = memory_stats().in_use;
  try {
    Tensor::zeros({1 << 20});
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::resource_exhausted);
  }
  EXPECT_EQ(memory_stats().in_use, in_use);
  EXPECT_NO_THROW(Tensor::zeros({1000}));
  set_memory_limit(0);
  EXPECT_NO_THROW(Tensor::zeros({1 << 20}));
}

}  // namespace
}  // namespace weir
