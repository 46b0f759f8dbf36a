#include <cmath>

#include "plan/graphs_for_test.h"

namespace weir::plan {
namespace {

void expect_one_step(const std::shared_ptr<graph::Graph>& g,
                     const std::vector<Tensor>& in,
                     int tiles) {
  const auto e = planned(g, in);
  ASSERT_EQ(e->steps().size(), 1u) << e->describe();
  EXPECT_EQ(e->steps()[0].tile_ops, tiles) << e->describe();
  expect_same(e->run(in), graph::replay(*g, in));
  PlanOptions apart;
  apart.regions = false;
  expect_same(planned(g, in, apart)->run(in), graph::replay(*g, in));
}

TEST(Region, IsOneTileProgram) {
  const auto g = trace(
      {{{300, 40}, DType::float32, "x"}, {{40}, DType::float32, "w"}},
      [](const std::vector<Tensor>& x) {
        return region(x, [](const std::vector<Tensor>& x) {
          const Tensor y = x[0] * x[1] + 0.25f;
          return std::vector<Tensor>{0.5f * y * (1.f + tanh(0.797f * (y + 0.0447f * y * y * y)))};
        });
      });
  expect_one_step(g, {numbers({300, 40}), numbers({40}, 2)}, 11);
}

TEST(Region, HasSeveralResultsAndDtypes) {
  const auto g = trace({{{1000}, DType::float32, "x"}}, [](const std::vector<Tensor>& x) {
    return region(x, [](const std::vector<Tensor>& x) {
      const Tensor mask = x[0] > 0.f;
      const Tensor wide = cast(x[0], DType::float64) * 3.0;
      return std::vector<Tensor>{
          mask, wide, where(mask, x[0], x[0] * 0.1f), cast(wide, DType::int32)};
    });
  });
  expect_one_step(g, {numbers({1000})}, 6);
}

TEST(Region, ComputesSmallMembersInTheShapeOfTheResult) {
  const auto g = trace({{{5, 7}, DType::float32, "x"}, {{7}, DType::float32, "b"}},
                       [](const std::vector<Tensor>& x) {
                         return region(x, [](const std::vector<Tensor>& x) {
                           return std::vector<Tensor>{x[0] + tanh(x[1]) * x[1]};
                         });
                       });
  expect_one_step(g, {numbers({5, 7}), numbers({7}, 2)}, 3);
}

TEST(Region, WithResultsOfSeveralShapesRunsByMember) {
  const auto g = trace({{{5, 7}, DType::float32, "x"}, {{7}, DType::float32, "b"}},
                       [](const std::vector<Tensor>& x) {
                         return region(x, [](const std::vector<Tensor>& x) {
                           const Tensor t = tanh(x[1]);
                           return std::vector<Tensor>{x[0] + t, t};
                         });
                       });
  const std::vector<Tensor> in{numbers({5, 7}), numbers({7}, 2)};
  const auto e = planned(g, in);
  EXPECT_EQ(e->kernels_per_call(), 2);
  expect_same(e->run(in), graph::replay(*g, in));
}

TEST(Region, OverwritesAnOperandOnlyAfterItsLastUse) {
  const auto g = trace({{{500}, DType::float32, "x"}}, [](const std::vector<Tensor>& x) {
    const std::vector<Tensor> y{x[0] * 2.f};
    const auto two = region(y, [](const std::vector<Tensor>& y) {
      const Tensor a = y[0] + 1.f;
      return std::vector<Tensor>{a, y[0] * a};
    });
    return std::vector<Tensor>{two[0] + two[1]};
  });
  const std::vector<Tensor> in{numbers({500})};
  expect_same(planned(g, in)->run(in), graph::replay(*g, in));
}

std::shared_ptr<graph::Graph> dense(
    const Shape& a, const Shape& b, bool ta, bool tb, bool keep_product) {
  const std::int64_t n = b[tb ? 0 : 1].value(), m = a[ta ? 1 : 0].value();
  return trace({{a, DType::float32, "a"},
                {b, DType::float32, "b"},
                {{n}, DType::float32, "bias"},
                {{m, n}, DType::float32, "r"}},
               [=](const std::vector<Tensor>& x) {
                 return region(x, [=](const std::vector<Tensor>& x) {
                   const Tensor p = matmul(x[0], x[1], ta, tb);
                   const Tensor y = tanh(p + x[2]) * p + x[3];
                   return keep_product ? std::vector<Tensor>{y, p} : std::vector<Tensor>{y};
                 });
               });
}

TEST(Region, EndsAContraction) {
  for (const std::int64_t m : {1, 5, 37, 200}) {
    for (const bool t : {false, true}) {
      for (const bool keep : {false, true}) {
        const Shape a = t ? Shape{50, m} : Shape{m, 50}, b = t ? Shape{130, 50} : Shape{50, 130};
        const auto g = dense(a, b, t, t, keep);
        expect_one_step(g, {numbers(a), numbers(b, 2), numbers({130}, 3), numbers({m, 130}, 4)}, 4);
      }
    }
  }
}

/// With a value that is no number, one that is infinite and a zero with a sign.
Tensor odd_numbers(const Shape& shape, int seed) {
  const Tensor t = numbers(shape, seed);
  auto* v = static_cast<float*>(const_cast<void*>(t.raw_data()));
  v[0] = -0.0f;
  v[t.size() / 2] = NAN;
  v[t.size() - 1] = -INFINITY;
  return t;
}

/// What a contraction does to its sums before they leave the registers.
TEST(Region, OfSimpleOpsEndsAContraction) {
  using Body = Tensor (*)(const Tensor& product, const Tensor& row, const Tensor& matrix);
  const Body bodies[] = {
      [](const Tensor& p, const Tensor& b, const Tensor&) { return relu(bias_add(p, b)); },
      [](const Tensor& p, const Tensor& b, const Tensor& r) { return relu(b + p) - r; },
      [](const Tensor& p, const Tensor&, const Tensor& r) { return r - 0.1f * p; },
      [](const Tensor& p, const Tensor& b, const Tensor& r) { return relu_grad(p * b, r); },
      [](const Tensor& p, const Tensor&, const Tensor& r) { return relu_grad(r, p) + r; },
      [](const Tensor& p, const Tensor&, const Tensor&) { return relu(p) * relu(p + p); },
      [](const Tensor& p, const Tensor& b, const Tensor&) { return relu(p + b) + b * b - b + b; },
  };
  for (const Shape& a : {Shape{1, 40}, Shape{5, 7}, Shape{100, 900}, Shape{70, 33}}) {
    for (const std::int64_t n : {1, 10, 130}) {
      const std::int64_t m = a[0].value(), k = a[1].value();
      const std::vector<Tensor> in{
          numbers(a), numbers({k, n}, 2), odd_numbers({n}, 3), odd_numbers({m, n}, 4)};
      for (const Body body : bodies) {
        const auto g = trace({{a, DType::float32, "a"},
                              {{k, n}, DType::float32, "b"},
                              {{n}, DType::float32, "row"},
                              {{m, n}, DType::float32, "matrix"}},
                             [=](const std::vector<Tensor>& x) {
                               return region(x, [=](const std::vector<Tensor>& x) {
                                 return std::vector<Tensor>{body(matmul(x[0], x[1]), x[2], x[3])};
                               });
                             });
        const auto e = planned(g, in);
        EXPECT_EQ(e->steps().size(), 1u) << e->describe();
        expect_same(e->run(in), graph::replay(*g, in));
      }
    }
  }
}

TEST(Region, OfABatchedContractionOrAReductionRunsInTwoSteps) {
  const auto g = trace({{{3, 4, 5}, DType::float32, "a"}, {{3, 5, 6}, DType::float32, "b"}},
                       [](const std::vector<Tensor>& x) {
                         const auto y = region(x, [](const std::vector<Tensor>& x) {
                           return std::vector<Tensor>{tanh(matmul(x[0], x[1])) * 2.f};
                         });
                         return region(y, [](const std::vector<Tensor>& y) {
                           return std::vector<Tensor>{tanh(sum(y[0], 1)) + 1.f};
                         });
                       });
  const std::vector<Tensor> in{numbers({3, 4, 5}), numbers({3, 5, 6}, 2)};
  const auto e = planned(g, in);
  EXPECT_EQ(e->kernels_per_call(), 4) << e->describe();
  expect_same(e->run(in), graph::replay(*g, in));
}

TEST(Region, OperandsThatAreKeptArePackedOnceForEachVersion) {
  Variable w(numbers({50, 30}, 5), "w");
  const auto g = trace({{{8, 50}, DType::float32, "x"}}, [&](const std::vector<Tensor>& x) {
    return std::vector<Tensor>{matmul(x[0], w), matmul(x[0], numbers({50, 20}, 6))};
  });
  const std::vector<Tensor> in{numbers({8, 50})};
  const auto e = planned(g, in);
  EXPECT_TRUE(e->steps()[0].packed && e->steps()[1].packed) << e->describe();
  expect_same(e->run(in), graph::replay(*g, in));
  w.assign(numbers({50, 30}, 9));
  expect_same(e->run(in), graph::replay(*g, in));
  w.assign_sub(numbers({50, 30}, 10));
  expect_same(e->run(in), graph::replay(*g, in));
}

}  // namespace
}  // namespace weir::plan
