#pragma once

/// Compares gradients with central differences, in float64, first and second order.

#include <gtest/gtest.h>
#include <weir/gradient_tape.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include <cmath>
#include <functional>

namespace weir::testing_gradients {

using Inputs = std::vector<Tensor>;
using Function = std::function<Tensor(const Inputs&)>;

inline Tensor noise(const Shape& shape, std::int64_t seed) {
  return stateless_normal(shape, Tensor{seed, std::int64_t(77)}, DType::float64);
}

/// sum(f(x) * weights): a scalar in which no two outputs cancel.
inline Tensor weighted(const Tensor& y) {
  return sum(multiply(y, noise(y.shape(), 99)));
}

inline Inputs gradients(const Function& f, const Inputs& x) {
  GradientTape tape;
  for (const Tensor& t : x)
    tape.watch(t);
  const Tensor y = f(x);
  return tape.gradient(
      {y}, std::vector<GradientSource>(x.begin(), x.end()), {}, UnconnectedGradients::zero);
}

inline void expect_numeric(const Function& f, const Inputs& x, double tolerance) {
  const Inputs dx = gradients(f, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(dx[i].shape(), x[i].shape()) << "input " << i;
    const auto d = dx[i].data<double>();
    for (std::size_t k = 0; k < d.size(); ++k) {
      constexpr double kStep = 1e-5;
      double side[2];
      for (int s = 0; s < 2; ++s) {
        std::vector<double> moved(x[i].data<double>().begin(), x[i].data<double>().end());
        moved[k] += s ? kStep : -kStep;
        Inputs at = x;
        at[i] = Tensor::from(moved, x[i].shape());
        side[s] = f(at).item<double>();
      }
      const double numeric = (side[1] - side[0]) / (2 * kStep);
      ASSERT_NEAR(d[k], numeric, tolerance * (1 + std::abs(numeric)))
          << "input " << i << ", element " << k;
    }
  }
}

/// f maps float64 tensors to one tensor. Inputs of other dtypes belong into its captures.
inline void check_gradients(const Function& f, const Inputs& x, double tolerance = 1e-6) {
  const Function scalar = [&](const Inputs& at) { return weighted(f(at)); };
  {
    SCOPED_TRACE("first order");
    expect_numeric(scalar, x, tolerance);
  }
  SCOPED_TRACE("second order");
  expect_numeric(
      [&](const Inputs& at) {
        Tensor total(0.0);
        for (const Tensor& d : gradients(scalar, at))
          total = add(total, weighted(d));
        return total;
      },
      x,
      10 * tolerance);
}

}  // namespace weir::testing_gradients
