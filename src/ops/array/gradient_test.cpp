/// Gradients of the array ops against central differences, first and second order.
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>

#include <cmath>
#include <functional>

#include "ops/array/array_test.h"

namespace weir {
namespace {

using Function = std::function<Tensor(const Tensor&)>;

/// Values without ties or order.
Tensor values(const Shape& shape, double scale = 1) {
  std::vector<double> v(std::size_t(shape.size()));
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = scale * std::sin(double(3 * i + 1));
  return Tensor::from(v, shape);
}

/// A scalar that depends on every element of y in its own way, and not linearly.
Tensor mix(const Tensor& y) {
  return sum(multiply(multiply(y, y), values(y.shape())));
}

Tensor gradient_of(const Function& f, const Tensor& x) {
  GradientTape tape;
  tape.watch(x);
  const Tensor y = mix(f(x));
  return tape.gradient(y, x);
}

/// Compares `slope` with the central differences of `f`.
void expect_slope(const std::function<double(const Tensor&)>& f,
                  const Tensor& x,
                  const Tensor& slope) {
  constexpr double kStep = 1e-6;
  ASSERT_EQ(slope.shape(), x.shape());
  std::vector<double> at = list<double>(x);
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double centre = at[i];
    at[i] = centre + kStep;
    const double up = f(Tensor::from(at, x.shape()));
    at[i] = centre - kStep;
    const double down = f(Tensor::from(at, x.shape()));
    at[i] = centre;
    EXPECT_NEAR(slope.data<double>()[i], (up - down) / (2 * kStep), 1e-5) << "at " << i;
  }
}

void check(const char* name, const Function& f, const Tensor& x) {
  SCOPED_TRACE(name);
  const Tensor first = gradient_of(f, x);
  ASSERT_TRUE(first.defined());
  expect_slope([&](const Tensor& t) { return mix(f(t)).item<double>(); }, x, first);
  const Tensor second = gradient_of([&](const Tensor& t) { return gradient_of(f, t); }, x);
  ASSERT_TRUE(second.defined());
  expect_slope([&](const Tensor& t) { return mix(gradient_of(f, t)).item<double>(); }, x, second);
}

TEST(Gradient, OfShaping) {
  const Tensor x = values({2, 3});
  check(
      "identity", [](const Tensor& t) { return identity(t); }, x);
  check(
      "expand_dims", [](const Tensor& t) { return expand_dims(t, 1); }, x);
  check(
      "squeeze", [](const Tensor& t) { return squeeze(expand_dims(t, 1)); }, x);
  check(
      "ensure_shape",
      [](const Tensor& t) {
        return ensure_shape(t, {2, -1});
      },
      x);
  check(
      "fill",
      [](const Tensor& t) {
        return fill({2, 2}, t);
      },
      values({}));
  check(
      "transpose", [](const Tensor& t) { return transpose(t); }, x);
  check(
      "transpose perm",
      [](const Tensor& t) {
        return transpose(t, {1, 2, 0});
      },
      values({2, 3, 2}));
  check(
      "reverse", [](const Tensor& t) { return reverse(t, {0}); }, x);
  check(
      "roll",
      [](const Tensor& t) {
        return roll(t, {1, -1}, {0, 1});
      },
      x);
  check(
      "tile",
      [](const Tensor& t) {
        return tile(t, {2, 3});
      },
      x);
  check(
      "broadcast_to",
      [](const Tensor& t) {
        return broadcast_to(t, {4, 2, 3});
      },
      values({2, 1}));
  check(
      "linspace", [](const Tensor& t) { return linspace(t, Tensor(2.0), 4); }, values({}));
  check(
      "linspace stop", [](const Tensor& t) { return linspace(Tensor(2.0), t, 4); }, values({}));
}

TEST(Gradient, OfJoiningAndSplitting) {
  const Tensor x = values({2, 4});
  check(
      "concat",
      [](const Tensor& t) {
        return concat({t, multiply(t, 2.0), t}, 1);
      },
      x);
  check(
      "stack",
      [](const Tensor& t) {
        return stack({t, t}, 1);
      },
      x);
  check(
      "unstack", [](const Tensor& t) { return unstack(t, 1)[2]; }, x);
  check(
      "split", [](const Tensor& t) { return split(t, 2, 1)[1]; }, x);
  check(
      "split_v",
      [](const Tensor& t) {
        return split(t, {1, 3}, 1)[1];
      },
      x);
}

TEST(Gradient, OfSlicing) {
  const Tensor x = values({2, 4});
  check(
      "slice",
      [](const Tensor& t) {
        return slice(t, {1, 1}, {1, -1});
      },
      x);
  check(
      "index",
      [](const Tensor& t) {
        return t[{Slice{}, 2}];
      },
      x);
  check(
      "strided_slice",
      [](const Tensor& t) {
        return t[{Slice{Slice::kOpen, Slice::kOpen, -1}, Index::newaxis(), Slice{0, 4, 3}}];
      },
      x);
  check(
      "set_slice",
      [](const Tensor& t) {
        return set_slice(t, {Slice{}, 1}, 2.0);
      },
      x);
  check(
      "set_slice value",
      [&](const Tensor& t) {
        return set_slice(x, {Slice{}, 1}, t);
      },
      values({2}));
}

TEST(Gradient, OfPadding) {
  const Tensor x = values({2, 4});
  check(
      "pad",
      [](const Tensor& t) {
        return pad(t, {{1, 0}, {2, 1}});
      },
      x);
  check(
      "pad_v2",
      [](const Tensor& t) {
        return pad_v2(t, {{1, 0}, {2, 1}}, 3.0);
      },
      x);
  check(
      "pad_v2 value",
      [&](const Tensor& t) {
        return pad_v2(x, {{1, 0}, {2, 1}}, t);
      },
      values({}));
  check(
      "mirror_pad",
      [](const Tensor& t) {
        return mirror_pad(t, {{1, 0}, {2, 3}});
      },
      x);
  check(
      "mirror_pad symmetric",
      [](const Tensor& t) {
        return mirror_pad(t, {{2, 0}, {2, 4}}, "SYMMETRIC");
      },
      x);
}

TEST(Gradient, OfBlocks) {
  check(
      "space_to_depth", [](const Tensor& t) { return space_to_depth(t, 2); }, values({1, 2, 2, 1}));
  check(
      "depth_to_space", [](const Tensor& t) { return depth_to_space(t, 2); }, values({1, 1, 2, 4}));
}

TEST(Gradient, OfPickingByIndex) {
  const Tensor x = values({3, 4});
  check(
      "gather",
      [](const Tensor& t) {
        return gather(t, Tensor{2, 0, 2});
      },
      x);
  check(
      "gather axis",
      [](const Tensor& t) {
        return gather(t, Tensor{{2, 0}, {2, 3}}, 1);
      },
      x);
  check(
      "gather batch",
      [](const Tensor& t) {
        return gather(t, Tensor{{2, 2}, {0, 1}, {3, 3}}, 1, 1);
      },
      x);
  check(
      "gather batch of rows",
      [](const Tensor& t) {
        return gather(t, Tensor{{1, 1, 0}, {0, 1, 1}}, 2, 1);
      },
      values({2, 3, 2}));
  check(
      "gather_nd",
      [](const Tensor& t) {
        return gather_nd(t, Tensor{{2, 0}, {1, 1}, {2, 0}});
      },
      x);
  check(
      "gather_nd rows",
      [](const Tensor& t) {
        return gather_nd(t, Tensor{{2}, {2}});
      },
      x);
  check(
      "boolean_mask",
      [](const Tensor& t) {
        return boolean_mask(t, Tensor{true, false, true});
      },
      x);
  check(
      "top_k", [](const Tensor& t) { return top_k(t, 2).values; }, x);
  check(
      "sort", [](const Tensor& t) { return sort(t, 0); }, x);
}

TEST(Gradient, OfScatters) {
  const Tensor x = values({4}), at{{2}, {0}, {2}};
  check(
      "scatter_nd", [&](const Tensor& t) { return scatter_nd(at, t, 5); }, values({3}));
  const Tensor u = values({3}, 2);
  check(
      "add x", [&](const Tensor& t) { return tensor_scatter_add(t, at, u); }, x);
  check(
      "add updates", [&](const Tensor& t) { return tensor_scatter_add(x, at, t); }, u);
  check(
      "sub updates", [&](const Tensor& t) { return tensor_scatter_sub(x, at, t); }, u);
  check(
      "update x", [&](const Tensor& t) { return tensor_scatter_update(t, at, u); }, x);
  const Tensor apart{{2}, {0}, {1}};
  check(
      "update updates", [&](const Tensor& t) { return tensor_scatter_update(x, apart, t); }, u);
  check(
      "max x", [&](const Tensor& t) { return tensor_scatter_max(t, at, u); }, x);
  check(
      "min updates", [&](const Tensor& t) { return tensor_scatter_min(x, at, t); }, u);
}

TEST(Gradient, OfSegments) {
  const Tensor x = values({4, 2});
  const Tensor sorted{0, 0, 2, 2}, ids{1, -1, 0, 1};
  check(
      "segment_sum", [&](const Tensor& t) { return segment_sum(t, sorted); }, x);
  check(
      "segment_mean", [&](const Tensor& t) { return segment_mean(t, sorted); }, x);
  check(
      "unsorted sum", [&](const Tensor& t) { return unsorted_segment_sum(t, ids, 2); }, x);
  check(
      "unsorted max", [&](const Tensor& t) { return unsorted_segment_max(t, ids, 2); }, x);
  check(
      "unsorted min", [&](const Tensor& t) { return unsorted_segment_min(t, ids, 2); }, x);
  check(
      "unsorted prod", [&](const Tensor& t) { return unsorted_segment_prod(t, ids, 2); }, x);
}

TEST(Gradient, OfDiagonals) {
  const Tensor x = values({2, 3, 3});
  check(
      "matrix_diag", [](const Tensor& t) { return matrix_diag(t); }, values({2, 3}));
  check(
      "matrix_diag_part", [](const Tensor& t) { return matrix_diag_part(t); }, values({2, 3}));
  check(
      "matrix_set_diag",
      [](const Tensor& t) {
        return matrix_set_diag(t, values({2, 3}, 3));
      },
      x);
  check(
      "matrix_set_diag diagonal",
      [&](const Tensor& t) { return matrix_set_diag(x, t); },
      values({2, 3}));
  check(
      "matrix_band_part", [](const Tensor& t) { return matrix_band_part(t, 1, 0); }, x);
}

TEST(Gradient, OfProductsWithZeros) {
  const Tensor x{0.0, 2.0, 3.0, 0.0, 0.0};
  GradientTape tape;
  tape.watch(x);
  const Tensor y = unsorted_segment_prod(x, Tensor{0, 0, 0, 1, 1}, 2);
  EXPECT_EQ(list<double>(tape.gradient(y, x)), (std::vector<double>{6, 0, 0, 0, 0}));
}

TEST(Gradient, StopsWhereToldAndFailsWherePrevented) {
  const Tensor x = values({2});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  EXPECT_FALSE(tape.gradient(stop_gradient(x), x).defined());
  const Tensor y = prevent_gradient(x, "labels have no gradient");
  EXPECT_TRUE(contains(error_of([&] { tape.gradient(y, x); }), "labels have no gradient"));
}

TEST(Gradient, OfNothingIsEmpty) {
  const Tensor x = values({0, 3});
  for (const Function& f : std::vector<Function>{
           [](const Tensor& t) { return transpose(t); },
           [](const Tensor& t) {
             return concat({t, t}, 0);
           },
           [](const Tensor& t) { return gather(t, Tensor::zeros({0}, DType::int32), 0); },
           [](const Tensor& t) {
             return pad(t, {{0, 0}, {1, 1}});
           }}) {
    EXPECT_EQ(gradient_of(f, x).shape(), (Shape{0, 3}));
  }
}

}  // namespace
}  // namespace weir
