#include <gtest/gtest.h>
#include <weir/functions.h>
#include <weir/linalg.h>
#include <weir/operators.h>
#include <weir/ops.h>

#include "ops/gradient_check_test.h"

namespace weir {
namespace {

using testing_gradients::check_gradients;
using testing_gradients::Inputs;
using testing_gradients::noise;

std::vector<float> floats(const Tensor& t) {
  const auto d = t.data<float>();
  return {d.begin(), d.end()};
}

void expect_near(const Tensor& a, const Tensor& b, double tolerance = 1e-12) {
  ASSERT_EQ(a.shape(), b.shape());
  const auto x = a.data<double>(), y = b.data<double>();
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_NEAR(x[i], y[i], tolerance) << "at " << i;
}

const Tensor kA{{1.f, 2.f}, {3.f, 4.f}}, kB{{5.f, 6.f}, {7.f, 8.f}};

TEST(Einsum, OfTwoMatrices) {
  EXPECT_EQ(floats(einsum("ij,jk->ik", {kA, kB})), floats(matmul(kA, kB)));
  EXPECT_EQ(floats(einsum("ij,jk", {kA, kB})), floats(matmul(kA, kB)));
  EXPECT_EQ(floats(einsum("ji,jk->ik", {kA, kB})), floats(matmul(kA, kB, true)));
  EXPECT_EQ(floats(einsum("ij,kj->ik", {kA, kB})), floats(matmul(kA, kB, false, true)));
  EXPECT_EQ(floats(einsum("ij,jk->ki", {kA, kB})), (std::vector<float>{19, 43, 22, 50}));
  EXPECT_EQ(floats(einsum("ij,ij->ij", {kA, kB})), floats(kA * kB));
  EXPECT_EQ(einsum("ij,ij->", {kA, kB}).item<float>(), 70);
}

TEST(Einsum, OfOneOperand) {
  EXPECT_EQ(floats(einsum("ij->ji", {kA})), (std::vector<float>{1, 3, 2, 4}));
  EXPECT_EQ(floats(einsum("ij->j", {kA})), (std::vector<float>{4, 6}));
  EXPECT_EQ(floats(einsum("ii->i", {kA})), (std::vector<float>{1, 4}));
  EXPECT_EQ(einsum("ii", {kA}).item<float>(), 5);
  EXPECT_EQ(einsum("ij->", {kA}).item<float>(), 10);
}

TEST(Einsum, OfManyAxes) {
  const Tensor q = noise({2, 3, 4, 5}, 1), k = noise({2, 3, 6, 5}, 2);
  expect_near(einsum("bhqd,bhkd->bhqk", {q, k}), matmul(q, k, false, true));
  const Tensor x = noise({2, 3, 4}, 1), y = noise({4, 3, 5, 2}, 2);
  const Tensor z = einsum("abc,cbde->ade", {x, y});
  EXPECT_EQ(z.shape(), (Shape{2, 5, 2}));
  double sum = 0;
  for (int b = 0; b < 3; ++b) {
    for (int c = 0; c < 4; ++c)
      sum += x.data<double>()[std::size_t(12 + b * 4 + c)] *
             y.data<double>()[std::size_t(((c * 3 + b) * 5 + 3) * 2 + 1)];
  }
  EXPECT_NEAR(z.data<double>()[std::size_t(10 + 3 * 2 + 1)], sum, 1e-12);
}

TEST(Einsum, OfThreeOperands) {
  const Tensor a = noise({2, 3}, 1), b = noise({3, 4}, 2), c = noise({4, 2}, 3);
  expect_near(einsum("ij,jk,kl->il", {a, b, c}), matmul(matmul(a, b), c));
  expect_near(einsum("ij,jk,ki->", {a, b, c}), trace(matmul(matmul(a, b), c)));
}

TEST(Einsum, EllipsisBroadcasts) {
  const Tensor a = noise({5, 1, 2, 3}, 1), b = noise({4, 3, 2}, 2);
  expect_near(einsum("...ij,...jk->...ik", {a, b}), matmul(a, b));
  expect_near(einsum("...ij->...ji", {b}), matrix_transpose(b));
  EXPECT_EQ(einsum("...i,i", {noise({2, 3, 4}, 1), noise({4}, 2)}).shape(), (Shape{2, 3}));
}

void expect_error(const char* text, auto&& body) {
  try {
    body();
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
  }
}

TEST(Einsum, BadEquationsAreErrors) {
  expect_error("twice", [] { einsum("ij,jk->ii", {kA, kB}); });
  expect_error("wrong rank", [] { einsum("ijk,jk->i", {kA, kB}); });
  expect_error("no operand has the letter 'z'", [] { einsum("ij,jk->iz", {kA, kB}); });
  expect_error("another number of operands", [] { einsum("ij,jk->ik", {kA}); });
  expect_error("dimensions of the letter 'j' differ", [] {
    einsum("ij,jk->ik", {kA, Tensor{{1.f}}});
  });
  expect_error("cannot be read", [] { einsum("i1,jk->ik", {kA, kB}); });
  expect_error("the result has not", [] { einsum("...i->i", {kA}); });
  expect_error("do not broadcast", [] {
    einsum("...i,...i->...", {noise({2, 3}, 1), noise({4, 3}, 1)});
  });
}

TEST(Products, DotOuterTensordot) {
  EXPECT_EQ(dot(Tensor{1.f, 2.f}, Tensor{3.f, 4.f}).item<float>(), 11);
  EXPECT_EQ(floats(dot(kA, kB)), floats(matmul(kA, kB)));
  EXPECT_EQ(floats(outer(Tensor{1.f, 2.f}, Tensor{3.f, 4.f})), (std::vector<float>{3, 4, 6, 8}));
  EXPECT_EQ(floats(tensordot(kA, kB, 1)), floats(matmul(kA, kB)));
  EXPECT_EQ(tensordot(kA, kB, 2).item<float>(), 70);
  EXPECT_EQ(tensordot(kA, kB, 0).shape(), (Shape{2, 2, 2, 2}));
  EXPECT_EQ(floats(tensordot(kA, kB, {0}, {1})), floats(einsum("ij,ki->jk", {kA, kB})));
  expect_error("named twice", [] { tensordot(kA, kB, {0, 0}, {0, 1}); });
  expect_error("different lengths", [] { tensordot(kA, kB, {0, 1}, {0}); });
  expect_error("out of range", [] { tensordot(kA, kB, {2}, {0}); });
  expect_error("vectors", [] { outer(kA, kB); });
  EXPECT_EQ(floats(eye(2, 3)), (std::vector<float>{1, 0, 0, 0, 1, 0}));
}

Tensor positive(const Tensor& x) {
  return add(matmul(x, x, false, true), multiply(eye(x.dim(-1), -1, DType::float64), 0.5));
}

TEST(Solve, FactorsGiveTheMatrixBack) {
  const Tensor m = positive(noise({2, 4, 4}, 1));
  const Tensor l = cholesky(m);
  expect_near(matmul(l, l, false, true), m);
  expect_near(matrix_band_part(l, -1, 0), l, 0);
  expect_near(matmul(matrix_inverse(m), m),
              add(Tensor::zeros({2, 4, 4}, DType::float64), eye(4, -1, DType::float64)));
  expect_near(matrix_inverse(m, true), matrix_transpose(matrix_inverse(m)));
}

TEST(Solve, SolutionsSolve) {
  const Tensor m = noise({2, 3, 3}, 1), b = noise({2, 3, 2}, 2);
  expect_near(matmul(m, matrix_solve(m, b)), b);
  expect_near(matmul(m, matrix_solve(m, b, true), true), b);
  for (bool lower : {true, false}) {
    const Tensor t = lower ? matrix_band_part(m, -1, 0) : matrix_band_part(m, 0, -1);
    expect_near(matmul(t, matrix_triangular_solve(m, b, lower)), b);
    expect_near(matmul(t, matrix_triangular_solve(m, b, lower, true), true), b);
  }
}

TEST(Solve, Determinants) {
  EXPECT_EQ(matrix_determinant(kA).item<float>(), -2);
  EXPECT_EQ(matrix_determinant(Tensor{{0.f, 1.f}, {1.f, 0.f}}).item<float>(), -1);
  EXPECT_EQ(matrix_determinant(Tensor{{1.f, 2.f}, {2.f, 4.f}}).item<float>(), 0);
  EXPECT_EQ(matrix_determinant(Tensor::zeros({0, 0})).item<float>(), 1);
}

TEST(Solve, BadMatricesAreErrors) {
  expect_error("not positive definite", [] { cholesky(Tensor{{1.f, 2.f}, {2.f, 1.f}}); });
  expect_error("matrix 1 is singular", [] { matrix_inverse(Tensor{{{1.f}}, {{0.f}}}); });
  expect_error("singular", [] { matrix_solve(Tensor{{1.f, 1.f}, {1.f, 1.f}}, kA); });
  expect_error("rows and columns", [] { cholesky(Tensor{{1.f, 2.f}}); });
  expect_error("dimensions of matrix and rhs", [] { matrix_solve(kA, Tensor{{1.f}}); });
  EXPECT_THROW(cholesky(Tensor{1.f}), Error);
}

TEST(LinalgGradient, Solvers) {
  const Inputs square{add(noise({3, 3}, 1), multiply(eye(3, -1, DType::float64), 3))};
  check_gradients([](const Inputs& x) { return matrix_inverse(x[0]); }, square);
  check_gradients([](const Inputs& x) { return matrix_inverse(x[0], true); }, square);
  check_gradients([](const Inputs& x) { return matrix_determinant(x[0]); }, square);
  check_gradients([](const Inputs& x) { return cholesky(positive(x[0])); }, square);
  for (bool adjoint : {false, true}) {
    const Inputs two{square[0], noise({3, 2}, 2)};
    check_gradients([&](const Inputs& x) { return matrix_solve(x[0], x[1], adjoint); }, two);
    for (bool lower : {false, true})
      check_gradients(
          [&](const Inputs& x) { return matrix_triangular_solve(x[0], x[1], lower, adjoint); },
          two);
  }
}

TEST(LinalgGradient, Einsum) {
  check_gradients(
      [](const Inputs& x) {
        return einsum("bij,bjk->bki", {x[0], x[1]});
      },
      {noise({2, 2, 3}, 1), noise({2, 3, 2}, 2)});
  check_gradients(
      [](const Inputs& x) { return multiply(einsum("ii->i", {x[0]}), einsum("ij->i", {x[0]})); },
      {noise({3, 3}, 1)});
}

}  // namespace
}  // namespace weir
