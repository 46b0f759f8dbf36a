/// Arithmetic of two operands with broadcasting.
#include "ops/define.h"

namespace weir::ops {

OpDef define_add() {
  return OpDef("AddV2")
      .api("add", "math")
      .doc("a + b, element-wise, with NumPy broadcasting. Integers wrap.")
      .type("T", kNumeric)
      .input("a", "T")
      .input("b", "T")
      .output("sum", "T")
      .traits(Trait::elementwise | Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[4,1,3] [5,1]")
      .example("[0,3] [3]");
}

OpDef define_sub() {
  return OpDef("Sub")
      .api("subtract", "math")
      .doc("a - b, element-wise, with NumPy broadcasting. Integers wrap.")
      .type("T", kNumeric)
      .input("a", "T")
      .input("b", "T")
      .output("difference", "T")
      .traits(Trait::elementwise)
      .example("[2,3] [2,3]")
      .example("[3] [2,1]");
}

OpDef define_mul() {
  return OpDef("Mul")
      .api("multiply", "math")
      .doc("a * b, element-wise, with NumPy broadcasting. Integers wrap.")
      .type("T", kNumeric)
      .input("a", "T")
      .input("b", "T")
      .output("product", "T")
      .traits(Trait::elementwise | Trait::commutative)
      .example("[2,3] [2,3]")
      .example("[3] []");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/math.h>

namespace weir::ops {

void implement_add(OpDef& op) {
  op.infer(infer::elementwise).gradient([](GradientContext& g) {
    for (int i = 0; i < 2; ++i) {
      if (g.needs(i)) g.set(i, unbroadcast(g, i, g.dy()));
    }
  });
}

void implement_sub(OpDef& op) {
  op.infer(infer::elementwise).gradient([](GradientContext& g) {
    if (g.needs(0)) g.set(0, unbroadcast(g, 0, g.dy()));
    if (g.needs(1)) g.set(1, unbroadcast(g, 1, multiply(g.dy(), -1)));
  });
}

void implement_mul(OpDef& op) {
  op.infer(infer::elementwise).saves_input({0, 1}).gradient([](GradientContext& g) {
    for (int i = 0; i < 2; ++i) {
      if (g.needs(i)) g.set(i, unbroadcast(g, i, multiply(g.dy(), g.input(1 - i))));
    }
  });
}

}  // namespace weir::ops
#endif
