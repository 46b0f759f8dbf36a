/// Evenly spaced numbers.
#include "ops/define.h"

namespace weir::ops {

OpDef define_range() {
  return OpDef("Range")
      .api("range", "array")
      .doc(
          "start, start + delta, start + 2 delta ... up to but not including limit. Element i is "
          "start + i * delta,\n"
          "rounded once. Operands are scalars.\n"
          "Errors: delta 0; a delta that leads away from limit; more than 2^63 elements.")
      .type("Tidx", kReal)
      .input("start", "Tidx")
      .input("limit", "Tidx")
      .input("delta", "Tidx")
      .output("output", "Tidx")
      .traits(Trait::data_shape | Trait::no_gradient)
      .example("i32[]:0..2 i32[]:5..9 i32[]:1..3")
      .example("f32[]:0..2 f32[]:5..9 f32[]:1..3");
}

OpDef define_linspace() {
  return OpDef("LinSpace")
      .api("linspace", "array")
      .doc(
          "`num` numbers from start to stop, both included, evenly spaced; `start` alone for num = "
          "1.\n"
          "Errors: num < 1; start or stop that is no scalar.")
      .type("T", kFloating)
      .input("start", "T")
      .input("stop", "T")
      .static_operand("num", {.input = 2, .scalar = true, .type_attr = "Tidx"})
      .output("output", "T")
      .example("[] [] ; num=5")
      .example("[] [] ; num=1");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "base/range.h"
#include "ops/array/helpers.h"
#include "tensor/convert.h"

namespace weir::ops {
namespace {

using tensor::Number;

/// The number of elements; nothing while an operand is unknown.
std::optional<std::int64_t> range_count(InferContext& c) {
  Number v[3];
  for (int i = 0; i < 3; ++i) {
    array::require_scalar(c, i);
    if (!c.value(i)) return std::nullopt;
    v[i] = tensor::load(c.value(i)->raw_data(), c.dtype(i));
  }
  std::int64_t n = 0;
  const bool is_unsigned = is_unsigned_integer(c.dtype(0));
  const char* problem = v[0].integer ? base::range_count(v[0].i, v[1].i, v[2].i, is_unsigned, &n)
                                     : base::range_count(v[0].re, v[1].re, v[2].re, &n);
  if (problem) {
    const auto text = [&](int i) {
      return v[i].integer ? std::to_string(v[i].i) : std::to_string(v[i].re);
    };
    c.fail(problem, "start " + text(0) + ", limit " + text(1) + ", delta " + text(2));
  }
  return n;
}

void infer_range(InferContext& c) {
  const auto n = range_count(c);
  c.set(0, Shape{n ? Dim(*n) : Dim::unknown()});
}

void infer_linspace(InferContext& c) {
  array::require_scalar(c, 0);
  array::require_scalar(c, 1);
  const auto num = array::scalar(c, 0);
  if (num && *num < 1) c.fail("num must be positive", std::to_string(*num), "num >= 1");
  c.set(0, Shape{num ? Dim(*num) : Dim::unknown()});
}

/// y = start (1 - t) + stop t, with t from 0 to 1.
void gradient_linspace(GradientContext& g) {
  const Tensor dy = g.dy();
  const DType dtype = dy.dtype();
  const Tensor t = linspace(Tensor::zeros({}, dtype), Tensor::ones({}, dtype), array::Passed(g, 0));
  const Tensor to_stop = sum(multiply(dy, t));
  if (g.needs(0)) g.set(0, subtract(sum(dy), to_stop));
  if (g.needs(1)) g.set(1, to_stop);
}

}  // namespace

void implement_range(OpDef& op) {
  op.infer(infer_range);
}

void implement_linspace(OpDef& op) {
  op.infer(infer_linspace).saves_input({2}).gradient(gradient_linspace);
}

}  // namespace weir::ops
#endif
