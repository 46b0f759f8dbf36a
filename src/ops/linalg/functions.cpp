/// Products and small functions of linear algebra.
#include <weir/functions.h>
#include <weir/linalg.h>
#include <weir/ops/array.h>
#include <weir/ops/linalg.h>
#include <weir/ops/math.h>

#include <algorithm>
#include <numeric>

#include "dispatch/call.h"
#include "ops/argument_error.h"

namespace weir::inline v0 {
namespace {

using List = std::vector<std::int64_t>;
using Where = std::source_location;
using ops::fail;

/// Letters a, b, c ... for the axes of a tensor, from number `first` on.
std::string letters(int first, int count) {
  std::string s;
  for (int i = first; i < first + count; ++i)
    s += char(i < 26 ? 'a' + i : 'A' + i - 26);
  return s;
}

std::size_t axis_index(std::int64_t axis, const Tensor& t, Where where) {
  if (axis < -t.rank() || axis >= t.rank())
    fail("tensordot",
         where,
         "axis out of range",
         "axis " + std::to_string(axis) + " of " + t.describe(),
         "an axis of it");
  return std::size_t(axis < 0 ? axis + t.rank() : axis);
}

}  // namespace

Tensor matrix_transpose(Operand x) {
  const Tensor t = x.to_tensor();
  if (t.rank() < 2)
    fail("matrix_transpose", x.where(), "not a matrix", t.describe(), "rank 2 or more");
  return swapaxes(Operand(t, x.where()), -2, -1);
}

Tensor eye(std::int64_t rows, std::int64_t columns, DType dtype) {
  if (columns < 0) columns = rows;
  if (rows < 0)
    fail("eye", Where::current(), "a negative number of rows", std::to_string(rows), "0 or more");
  return matrix_set_diag(Tensor::zeros(Shape{rows, columns}, dtype),
                         Tensor::ones(Shape{std::min(rows, columns)}, dtype));
}

Tensor trace(Operand x) {
  return sum(matrix_diag_part(x), -1);
}

Tensor dot(Operand a, Operand b) {
  const dispatch::OperandScope scope({a, b});
  const Tensor x = a.to_tensor(), y = b.to_tensor();
  if (!x.shape().has_rank() || !y.shape().has_rank())
    fail("dot",
         a.where(),
         "the product depends on the ranks, which are unknown",
         x.describe() + " and " + y.describe(),
         "operands of known rank");
  if (x.rank() == 0 || y.rank() == 0) return multiply(Operand(x, a.where()), y);
  return tensordot(Operand(x, a.where()), y, {-1}, {y.rank() == 1 ? 0 : -2});
}

Tensor outer(Operand a, Operand b) {
  const dispatch::OperandScope scope({a, b});
  const Tensor x = a.to_tensor(), y = b.to_tensor();
  if (x.rank() != 1 || y.rank() != 1)
    fail("outer",
         a.where(),
         "operands must be vectors",
         x.describe() + " and " + y.describe(),
         "rank 1 each");
  return multiply(expand_dims(Operand(x, a.where()), 1), expand_dims(y, 0));
}

Tensor tensordot(Operand a, Operand b, int axes) {
  const dispatch::OperandScope scope({a, b});
  const Tensor x = a.to_tensor(), y = b.to_tensor();
  if (axes < 0 || axes > x.rank() || axes > y.rank())
    fail("tensordot",
         a.where(),
         "more axes than an operand has",
         std::to_string(axes) + " axes of " + x.describe() + " and " + y.describe(),
         "a number that fits both");
  List of_x(std::size_t(axes), 0), of_y(std::size_t(axes), 0);
  std::iota(of_x.begin(), of_x.end(), x.rank() - axes);
  std::iota(of_y.begin(), of_y.end(), 0);
  return tensordot(Operand(x, a.where()), y, of_x, of_y);
}

Tensor tensordot(Operand a, Operand b, const List& axes_a, const List& axes_b) {
  const dispatch::OperandScope scope({a, b});
  const Tensor x = a.to_tensor(), y = b.to_tensor();
  if (axes_a.size() != axes_b.size() || x.rank() + y.rank() > 52)
    fail("tensordot",
         a.where(),
         "lists of axes of different lengths",
         std::to_string(axes_a.size()) + " and " + std::to_string(axes_b.size()),
         "pairs of axes");
  const std::string of_x = letters(0, x.rank());
  std::string of_y = letters(x.rank(), y.rank()), rest_x = of_x, rest_y;
  for (std::size_t i = 0; i < axes_a.size(); ++i) {
    const char shared = of_x[axis_index(axes_a[i], x, a.where())];
    char& other = of_y[axis_index(axes_b[i], y, a.where())];
    const std::size_t left = rest_x.find(shared);
    if (left == std::string::npos || of_x.find(other) != std::string::npos)
      fail("tensordot", a.where(), "an axis is named twice", {}, "distinct axes");
    other = shared;
    rest_x.erase(left, 1);
  }
  for (char c : of_y) {
    if (of_x.find(c) == std::string::npos) rest_y += c;
  }
  return einsum(of_x + "," + of_y + "->" + rest_x + rest_y,
                {Operand(x, a.where()), Operand(y, b.where())});
}

}  // namespace weir::inline v0
