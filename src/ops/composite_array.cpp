/// Functions of the array family that are several ops, or that fill in what an op wants to be told.
#include <weir/functions.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "tensor/convert.h"
#include "tensor/tensor_impl.h"

namespace weir::inline v0 {
namespace {

using Where = std::source_location;

[[noreturn]] void fail(const char* function,
                       Where where,
                       std::string what,
                       std::string got,
                       std::string expected = {}) {
  throw Error({Code::invalid_argument,
               std::string(function) + ": " + std::move(what),
               to_string(where),
               std::move(got),
               std::move(expected),
               {}});
}

/// A variable is read, a scalar becomes a tensor, once.
Tensor value(const char* function, const Operand& o) {
  Tensor t = o.to_tensor();
  if (!t.defined())
    fail(function, o.where(), "an undefined tensor", "a default-constructed or moved-from Tensor");
  return t;
}

int axis_of(const char* function, const Tensor& t, int axis, Where where) {
  const int rank = t.rank();
  if (axis < -rank || axis >= rank)
    fail(function,
         where,
         "axis out of range",
         "axis " + std::to_string(axis) + " of " + t.describe());
  return axis < 0 ? axis + rank : axis;
}

Scalar integer(std::int64_t v) {
  return {Scalar::Kind::integer, v, double(v)};
}

/// 0 or 1 in the dtype of a bound, for the op to be complete.
Tensor like(const Tensor& t, std::int64_t v) {
  return tensor::adopt_scalar(integer(v), t.dtype());
}

/// An order-reversing map that is its own inverse, so that the largest come first; NaN stays NaN.
Tensor in_descending_order(const Tensor& t, bool already) {
  if (already) return t;
  return is_floating(t.dtype()) ? negative(t) : invert(t);
}

TopKResult all_of(const Tensor& rows) {
  const std::int64_t n = rows.dim(-1);
  return n >= 0 ? top_k(rows, n) : top_k(rows, shape(rows)[-1]);
}

/// [..., n] as [rows, n].
Tensor as_rows(const Tensor& t) {
  if (t.rank() == 2) return t;
  const std::int64_t n = t.dim(-1);
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < t.rank(); ++i)
    rows = rows < 0 || t.dim(i) < 0 ? -1 : rows * t.dim(i);
  if (n >= 0 || rows >= 0) return reshape(t, {rows, n});
  const Tensor dims = shape(t);
  return reshape(t, concat({Tensor{-1}, slice(dims, t.rank() - 1, 1)}, 0));
}

}  // namespace

Tensor range(Operand limit) {
  const Tensor stop = value("range", limit);
  return range(like(stop, 0), Operand(stop, limit.where()), like(stop, 1));
}

Tensor range(Operand start, Operand limit) {
  if (start.is_scalar() && limit.is_scalar()) {
    const bool real =
        start.scalar().kind == Scalar::Kind::real || limit.scalar().kind == Scalar::Kind::real;
    return real ? range(start, limit, 1.0) : range(start, limit, 1);
  }
  const Tensor typed = value("range", start.is_scalar() ? limit : start);
  return range(start, limit, like(typed, 1));
}

Tensor one_hot(Operand indices, const Ints& depth, DType dtype, int axis) {
  return one_hot(indices, depth, Tensor::ones({}, dtype), Tensor::zeros({}, dtype), axis);
}

std::vector<Tensor> unstack(Operand x, int axis) {
  const Tensor t = value("unstack", x);
  const std::int64_t n = t.dim(axis_of("unstack", t, axis, x.where()));
  if (n < 0)
    fail("unstack",
         x.where(),
         "the length of the axis is not known",
         t.describe(),
         "unpack with the number of slices");
  return unpack(Operand(t, x.where()), n, axis);
}

std::vector<Tensor> split(Operand x, const std::vector<std::int64_t>& sizes, const Ints& axis) {
  return split_v(x, sizes, axis, std::int64_t(sizes.size()));
}

Tensor swapaxes(Operand x, int axis1, int axis2) {
  const Tensor t = value("swapaxes", x);
  std::vector<std::int64_t> perm;
  for (int i = 0; i < t.rank(); ++i)
    perm.push_back(i);
  std::swap(perm[std::size_t(axis_of("swapaxes", t, axis1, x.where()))],
            perm[std::size_t(axis_of("swapaxes", t, axis2, x.where()))]);
  return transpose(Operand(t, x.where()), perm);
}

Tensor flatten(Operand x) {
  return reshape(x, {-1});
}

Tensor zeros(const Ints& shape, DType dtype) {
  const Tensor zero = Tensor::zeros({}, dtype);
  return fill(shape, Operand(zero, shape.where()));
}

Tensor ones(const Ints& shape, DType dtype) {
  const Tensor one = Tensor::ones({}, dtype);
  return fill(shape, Operand(one, shape.where()));
}

Tensor sort(Operand x, int axis, bool descending) {
  const Tensor t = value("sort", x);
  const int at = axis_of("sort", t, axis, x.where());
  const bool last = at == t.rank() - 1;
  const Tensor rows = in_descending_order(last ? t : swapaxes(t, at, -1), descending);
  const Tensor sorted = in_descending_order(all_of(rows).values, descending);
  return last ? sorted : swapaxes(sorted, at, -1);
}

Tensor argsort(Operand x, int axis, bool descending) {
  const Tensor t = value("argsort", x);
  const int at = axis_of("argsort", t, axis, x.where());
  const bool last = at == t.rank() - 1;
  const Tensor order =
      all_of(in_descending_order(last ? t : swapaxes(t, at, -1), descending)).indices;
  return last ? order : swapaxes(order, at, -1);
}

Tensor searchsorted(Operand sorted, Operand values, bool right, DType out_type) {
  const Tensor rows = value("searchsorted", sorted), v = value("searchsorted", values);
  if (rows.rank() == 0 || v.rank() != rows.rank())
    fail("searchsorted",
         sorted.where(),
         "operands of different ranks",
         rows.describe() + " and " + v.describe());
  for (int i = 0; i + 1 < rows.rank(); ++i) {
    if (rows.dim(i) >= 0 && v.dim(i) >= 0 && rows.dim(i) != v.dim(i))
      fail("searchsorted",
           sorted.where(),
           "leading axes differ",
           rows.describe() + " and " + v.describe());
  }
  const Tensor a = as_rows(rows), b = as_rows(v);
  const Operand oa(a, sorted.where()), ob(b, values.where());
  const Tensor found = right ? upper_bound(oa, ob, out_type) : lower_bound(oa, ob, out_type);
  return v.rank() == 2 ? found
                       : reshape(found, v.shape().is_static() ? Ints(v.shape()) : Ints(shape(v)));
}

Tensor boolean_mask(Operand x, Operand mask, int axis) {
  const Tensor t = value("boolean_mask", x), m = value("boolean_mask", mask);
  const int first = axis_of("boolean_mask", t, axis, x.where());
  if (m.dtype() != DType::boolean || m.rank() == 0 || first + m.rank() > t.rank())
    fail("boolean_mask",
         x.where(),
         "mask does not fit",
         m.describe() + " for " + t.describe(),
         "bools of rank 1 or more");
  std::vector<std::int64_t> dims;
  for (int i = 0; i < t.rank(); ++i) {
    const bool inside = i >= first && i < first + m.rank();
    if (inside && t.dim(i) >= 0 && m.dim(i - first) >= 0 && t.dim(i) != m.dim(i - first))
      fail("boolean_mask",
           x.where(),
           "mask has another shape",
           m.describe() + " for " + t.describe());
    if (!inside)
      dims.push_back(t.dim(i));
    else if (i == first)
      dims.push_back(m.rank() == 1 ? t.dim(i) : -1);
  }
  const Tensor flat = m.rank() == 1 ? t : reshape(Operand(t, x.where()), dims);
  return gather(Operand(flat, x.where()), squeeze(where(reshape(m, {-1})), {1}), first);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors, std::string_view indexing) {
  if (indexing != "xy" && indexing != "ij")
    fail("meshgrid", {}, "indexing is xy or ij", std::string(indexing));
  const std::size_t n = vectors.size();
  const auto place = [&](std::size_t i) { return indexing == "xy" && n > 1 && i < 2 ? 1 - i : i; };
  std::vector<std::int64_t> grid(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (vectors[i].rank() != 1)
      fail("meshgrid", {}, "operands must be vectors", vectors[i].describe());
    grid[place(i)] = vectors[i].dim(0);
  }
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::int64_t> own(n, 1);
    own[place(i)] = vectors[i].dim(0);
    result.push_back(broadcast_to(reshape(vectors[i], own), grid));
  }
  return result;
}

}  // namespace weir::inline v0
