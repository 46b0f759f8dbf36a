/// Axes and elements in another order.
#include "ops/define.h"

namespace weir::ops {

OpDef define_transpose() {
  return OpDef("Transpose")
      .api("transpose", "array")
      .doc(
          "The axes in another order: axis i of the result is axis perm[i] of the operand. By "
          "default the order is\n"
          "reversed. Shares memory where only axes of length 1 move.\n"
          "Errors: perm is no permutation of 0 .. rank - 1.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("perm",
                      {.input = 1,
                       .optional = true,
                       .type_attr = "Tperm",
                       .when_absent = WhenAbsent::reversed_axes})
      .output("y", "T")
      .example("[2,3]")
      .example("[2,3,4] ; perm=[1,2,0]")
      .example("[2,0,4] ; perm=[2,1,0]")
      .example("[] ; perm=[]");
}

OpDef define_invert_permutation() {
  return OpDef("InvertPermutation")
      .api("invert_permutation", "array")
      .doc(
          "The permutation that undoes x: y[x[i]] = i.\nErrors: x is no permutation of 0 .. n - 1.")
      .type("T", kIndex)
      .input("x", "T")
      .output("y", "T")
      .traits(Trait::involution | Trait::no_gradient)
      .example("i32[1]:0..0");
}

OpDef define_reverse() {
  return OpDef("ReverseV2")
      .api("reverse", "array")
      .doc(
          "The elements in reverse order along the axes named.\nErrors: an axis out of range, or "
          "named twice.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("axis", {.input = 1, .type_attr = "Tidx"})
      .output("output", "T")
      .stored_as("x", "tensor")
      .traits(Trait::involution)
      .example("[2,3] ; axis=[1]")
      .example("[2,3,4] ; axis=[0,-1]")
      .example("[2] ; axis=[]");
}

OpDef define_roll() {
  return OpDef("Roll")
      .api("roll", "array")
      .doc(
          "The elements moved by shift[i] places along axis[i]; those that leave at one end come "
          "in at the other.\n"
          "Errors: shift and axis of different lengths; an axis out of range.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("shift", {.input = 1, .type_attr = "Tshift"})
      .static_operand("axis", {.input = 2, .type_attr = "Taxis"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[5] ; shift=[2] axis=[0]")
      .example("[3,4] ; shift=[-1,2] axis=[0,1]")
      .example("[3,4] ; shift=[1,1] axis=[1,1]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <algorithm>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

void check_permutation(InferContext& c, std::span<const std::int64_t> perm, int rank) {
  bool seen[kMaxRank + 1] = {};
  bool ok = perm.size() == std::size_t(rank);
  for (std::int64_t p : perm) {
    ok = ok && p >= -rank && p < rank && !seen[p < 0 ? p + rank : p];
    if (ok) seen[p < 0 ? p + rank : p] = true;
  }
  if (!ok)
    c.fail("perm is no permutation of the axes",
           Shape(perm).to_string() + " for " + c.describe_inputs(),
           "each of 0 .. " + std::to_string(rank - 1) + " once");
}

void infer_transpose(InferContext& c) {
  const ShapeView in = c.shape(0);
  const int rank = in.rank();
  Shape out;
  if (c.absent(0)) {
    for (int i = rank - 1; i >= 0; --i)
      out.push_back(in[i]);
    return c.set(0, out);
  }
  const auto perm = c.ints(0);
  if (!perm) return c.set(0, array::open_shape(rank));
  check_permutation(c, *perm, rank);
  for (std::int64_t p : *perm)
    out.push_back(in[int(p < 0 ? p + rank : p)]);
  c.set(0, out);
}

/// Nothing moves in memory if the axes longer than 1 keep their order.
std::int64_t alias_transpose(SpecView in, const Spec&, std::span<const rt::Attr> attrs) {
  const int rank = in.shape.rank();
  std::int64_t last = -1;
  for (int i = 0; i < rank; ++i) {
    std::int64_t from = rank - 1 - i;
    if (attrs[0].kind == rt::Attr::Kind::ints)
      from = attrs[0].ints[i] < 0 ? attrs[0].ints[i] + rank : attrs[0].ints[i];
    if (in.shape[int(from)] == Dim(1)) continue;
    if (from < last) return -1;
    last = from;
  }
  return 0;
}

void gradient_transpose(GradientContext& g) {
  const array::Passed perm(g, 0);
  if (!perm.known()) return g.set(0, transpose(g.dy(), invert_permutation(perm.tensor())));
  if (g.attr(0).kind == rt::Attr::Kind::none) return g.set(0, transpose(g.dy()));
  g.set(0, transpose(g.dy(), array::inverse(perm.values())));
}

void infer_invert_permutation(InferContext& c) {
  if (c.shape(0).rank() != 1) c.fail("a permutation is a vector", {}, "a tensor of rank 1");
  c.set(0, c.shape(0).to_shape());
}

void infer_reverse(InferContext& c) {
  if (c.ints(0)) infer::axes(c, 0, c.shape(0).rank());
  infer::same_as_first(c);
}

void infer_roll(InferContext& c) {
  const auto shift = c.ints(0), axis = c.ints(1);
  if (shift && axis && shift->size() != axis->size())
    c.fail("shift and axis differ in length",
           std::to_string(shift->size()) + " and " + std::to_string(axis->size()));
  if (axis) {
    for (std::int64_t a : *axis)
      c.axis(a, c.shape(0).rank());
  }
  infer::same_as_first(c);
}

void gradient_roll(GradientContext& g) {
  const array::Passed shift(g, 0), axis(g, 1);
  if (!shift.known()) return g.set(0, roll(g.dy(), multiply(shift.tensor(), -1), axis));
  std::vector<std::int64_t> back = shift.values();
  for (std::int64_t& s : back)
    s = std::int64_t(0 - std::uint64_t(s));
  g.set(0, roll(g.dy(), back, axis));
}

}  // namespace

void implement_transpose(OpDef& op) {
  op.infer(infer_transpose).alias(alias_transpose).saves_input({1}).gradient(gradient_transpose);
}

void implement_invert_permutation(OpDef& op) {
  op.infer(infer_invert_permutation);
}

void implement_reverse(OpDef& op) {
  op.infer(infer_reverse).saves_input({1}).gradient([](GradientContext& g) {
    g.set(0, reverse(g.dy(), array::Passed(g, 0)));
  });
}

void implement_roll(OpDef& op) {
  op.infer(infer_roll).saves_input({1, 2}).gradient(gradient_roll);
}

}  // namespace weir::ops
#endif
