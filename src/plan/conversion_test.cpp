/// Weights that are kept in one dtype and used in another.
#include <weir/variable.h>

#include "plan/graphs_for_test.h"

namespace weir::plan {
namespace {

using Values = std::vector<Tensor>;

Tensor half(const Tensor& t) {
  return cast(t, DType::bfloat16);
}

/// How many steps work on the dtypes that are named: "Cast/float32/bfloat16".
int count(const Executable& e, const std::string& kernel) {
  int n = 0;
  for (const StepInfo& s : e.steps())
    n += s.kernel.rfind(kernel, 0) == 0;
  return n;
}

TEST(Conversion, OfAWeightHappensWhenItIsPacked) {
  const Variable w(numbers({96, 130}), "w");
  const auto g = trace({{Shape{9, 96}, DType::bfloat16, "x"}}, [&](const Values& x) {
    return region({x[0], half(w.value())},
                  [](const Values& v) { return Values{relu(matmul(v[0], v[1]))}; });
  });
  const Values in{half(numbers({9, 96}, 2))};
  const auto e = planned(g, in);
  ASSERT_EQ(e->kernels_per_call(), 1) << e->describe();
  EXPECT_TRUE(e->steps()[0].packed);
  EXPECT_EQ(e->steps()[0].tile_ops, 1);
  EXPECT_EQ(count(*e, "MatMul/bfloat16/float32/"), 1) << e->describe();
  expect_same(e->run(in), graph::replay(*g, in));
  w.assign(numbers({96, 130}, 5));
  expect_same(e->run(in), graph::replay(*g, in));
}

TEST(Conversion, StaysForItsOtherReaders) {
  const Variable w(numbers({24, 24}), "w");
  const auto g = trace({{Shape{8, 24}, DType::bfloat16, "x"}}, [&](const Values& x) {
    const Tensor h = half(w.value());
    return Values{matmul(x[0], h), h};
  });
  const Values in{half(numbers({8, 24}, 2))};
  const auto e = planned(g, in);
  EXPECT_EQ(e->kernels_per_call(), 2) << e->describe();
  expect_same(e->run(in), graph::replay(*g, in));
}

TEST(Conversion, ReadsAWeightBeforeItIsWritten) {
  const Variable w(numbers({24, 32}), "w");
  const auto g = trace({{Shape{8, 24}, DType::bfloat16, "x"}}, [&](const Values& x) {
    const Tensor y = matmul(x[0], half(w.value()));
    w.assign_sub(cast(matmul(x[0], y, true), DType::float32));
    return Values{y, w.value()};
  });
  const Values in{half(numbers({8, 24}, 2))};
  const Tensor first = numbers({24, 32});
  const auto e = planned(g, in);
  for (int i = 0; i < 2; ++i) {
    const Values got = e->run(in);
    const Tensor after = w.value() + 0.f;
    w.assign(first + 0.f);
    expect_same(got, i == 0 ? graph::replay(*g, in) : got);
    EXPECT_TRUE(same(after, got[1]));
    w.assign(first + 0.f);
  }
}

TEST(Conversion, OfAFilterToo) {
  const Variable w(numbers({3, 3, 8, 16}), "w");
  const auto g = trace({{Shape{2, 7, 7, 8}, DType::bfloat16, "x"}}, [&](const Values& x) {
    return Values{convolution_2d(x[0], half(w.value()), {1, 1, 1, 1}, "SAME")};
  });
  const Values in{half(numbers({2, 7, 7, 8}, 2))};
  const auto e = planned(g, in);
  EXPECT_EQ(e->kernels_per_call(), 1) << e->describe();
  expect_same(e->run(in), graph::replay(*g, in));
}

}  // namespace
}  // namespace weir::plan
