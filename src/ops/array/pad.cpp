/// Borders around a tensor.
#include "ops/define.h"

namespace weir::ops {

OpDef define_pad() {
  return OpDef("Pad")
      .api("pad", "array")
      .doc(
          "Zeros around the operand: paddings has a row {before, after} for each axis.\n"
          "Errors: paddings that are not [rank, 2] or negative.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("paddings", {.input = 1, .columns = 2, .type_attr = "Tpaddings"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[2,3] ; paddings=[1,0,0,2]")
      .example("[0,3] ; paddings=[1,1,0,0]");
}

OpDef define_pad_v2() {
  return OpDef("PadV2")
      .api("pad_v2", "array")
      .doc(
          "`constant_values`, a scalar, around the operand; `pad` has the meaning of paddings.\n"
          "Errors: those of pad; a value that is no scalar.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("paddings", {.input = 1, .columns = 2, .type_attr = "Tpaddings"})
      .input("constant_values", "T")
      .output("output", "T")
      .stored_as("x", "input")
      .example("[2,3] [] ; paddings=[1,0,0,2]");
}

OpDef define_mirror_pad() {
  return OpDef("MirrorPad")
      .api("mirror_pad", "array")
      .doc(
          "The operand continued by its mirror image: REFLECT leaves the border element single, "
          "SYMMETRIC repeats it.\n"
          "Errors: those of pad; a padding that is longer than the axis (REFLECT: not shorter).")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("paddings", {.input = 1, .columns = 2, .type_attr = "Tpaddings"})
      .attr("mode", "REFLECT", {"REFLECT", "SYMMETRIC"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[2,3] ; paddings=[1,0,2,2]")
      .example("[2,3] ; paddings=[2,0,3,3] mode=SYMMETRIC");
}

OpDef define_mirror_pad_grad() {
  return OpDef("MirrorPadGrad")
      .api("mirror_pad_grad", "array")
      .doc(
          "The gradient of mirror_pad: adds the borders of dy to the elements that they repeat, in "
          "the order of the\n"
          "elements of dy. Errors: those of pad; dy that is too small.")
      .type("T", kNumeric)
      .input("dy", "T")
      .static_operand("paddings", {.input = 1, .columns = 2, .type_attr = "Tpaddings"})
      .attr("mode", "REFLECT", {"REFLECT", "SYMMETRIC"})
      .output("output", "T")
      .stored_as("dy", "input")
      .example("[3,7] ; paddings=[1,0,2,2]")
      .example("[4,9] ; paddings=[2,0,3,3] mode=SYMMETRIC");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <algorithm>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

using Paddings = std::optional<std::span<const std::int64_t>>;

Paddings paddings(InferContext& c) {
  const std::int64_t rank = c.shape(0).rank(), n = c.ints_count(0);
  if (n >= 0 && n != 2 * rank)
    c.fail("paddings need a row {before, after} for each axis",
           std::to_string(n) + " numbers with " + c.describe_inputs(),
           "[" + std::to_string(rank) + ", 2]");
  const Paddings p = c.ints(0);
  if (p) {
    for (std::int64_t v : *p) {
      if (v < 0) c.fail("paddings are negative", Shape(*p).to_string(), "paddings >= 0");
    }
  }
  return p;
}

Dim padded(Dim d, const Paddings& p, int axis) {
  if (!p) return Dim::unknown();
  return array::sum(array::sum(Dim((*p)[std::size_t(2 * axis)]), d),
                    Dim((*p)[std::size_t(2 * axis + 1)]));
}

void infer_pad(InferContext& c) {
  if (c.op().input_defs().size() == 2) array::require_scalar(c, 1);
  const Paddings p = paddings(c);
  Shape out;
  for (int i = 0; i < c.shape(0).rank(); ++i)
    out.push_back(padded(c.shape(0)[i], p, i));
  c.set(0, out);
}

bool reflects(const rt::Attr& mode) {
  return mode.count == 7;
}

void infer_mirror_pad(InferContext& c) {
  const ShapeView in = c.shape(0);
  const Paddings p = paddings(c);
  const std::int64_t border = reflects(c.attr(1)) ? 1 : 0;
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    for (int side = 0; p && side < 2; ++side) {
      const std::int64_t v = (*p)[std::size_t(2 * i + side)];
      if (v > 0 && in[i].known() && v > in[i].value() - border)
        c.fail("a padding is longer than what it mirrors",
               std::to_string(v) + " for axis " + std::to_string(i) + " of " + c.describe_inputs(),
               "at most " + std::to_string(in[i].value() - border));
    }
    out.push_back(padded(in[i], p, i));
  }
  c.set(0, out);
}

void infer_mirror_pad_grad(InferContext& c) {
  const ShapeView in = c.shape(0);
  const Paddings p = paddings(c);
  const std::int64_t border = reflects(c.attr(1)) ? 1 : 0;
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (!p || !in[i].known()) {
      out.push_back(Dim::unknown());
      continue;
    }
    const std::int64_t before = (*p)[std::size_t(2 * i)], after = (*p)[std::size_t(2 * i + 1)];
    const std::int64_t inner = before > in[i].value() ? -1 : in[i].value() - before - after;
    const std::int64_t longest = std::max(before, after);
    if (inner < 0 || (longest > 0 && longest > inner - border))
      c.fail("dy is too small for these paddings", {}, "the result of mirror_pad");
    out.push_back(inner);
  }
  c.set(0, out);
}

/// The part of dy that the operand itself became.
Tensor inner_part(GradientContext& g) {
  array::require_ranks(g, "Pad");
  const array::Passed p(g, 0);
  const int rank = g.input_shape(0).rank();
  if (!p.known()) {
    const Tensor begin = reshape(slice(p.tensor(), {0, 0}, {-1, 1}), {-1});
    return slice(g.dy(), begin, g.input_dims(0));
  }
  std::vector<std::int64_t> begin, end, ones(std::size_t(rank), 1);
  std::int64_t open = 0;
  for (int i = 0; i < rank; ++i) {
    begin.push_back(p.values()[std::size_t(2 * i)]);
    end.push_back(-p.values()[std::size_t(2 * i + 1)]);
    if (end.back() == 0 && i < 63) open |= std::int64_t(1) << i;
  }
  return strided_slice(g.dy(), begin, end, ones, 0, open);
}

void gradient_pad_v2(GradientContext& g) {
  const Tensor inner = inner_part(g);
  if (g.needs(0)) g.set(0, inner);
  if (g.needs(1)) g.set(1, subtract(sum(g.dy()), sum(inner)));
}

std::string_view mode_of(const GradientContext& g) {
  return {g.attr(1).s, g.attr(1).count};
}

}  // namespace

void implement_pad(OpDef& op) {
  op.infer(infer_pad).saves_input({1}).gradient(
      [](GradientContext& g) { g.set(0, inner_part(g)); });
}

void implement_pad_v2(OpDef& op) {
  op.infer(infer_pad).saves_input({2}).gradient(gradient_pad_v2);
}

void implement_mirror_pad(OpDef& op) {
  op.infer(infer_mirror_pad).saves_input({1}).gradient([](GradientContext& g) {
    g.set(0, mirror_pad_grad(g.dy(), array::Passed(g, 0), mode_of(g)));
  });
}

void implement_mirror_pad_grad(OpDef& op) {
  op.infer(infer_mirror_pad_grad).saves_input({1}).gradient([](GradientContext& g) {
    g.set(0, mirror_pad(g.dy(), array::Passed(g, 0), mode_of(g)));
  });
}

}  // namespace weir::ops
#endif
