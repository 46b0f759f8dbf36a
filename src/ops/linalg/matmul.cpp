#include "ops/define.h"

namespace weir::ops {

OpDef define_matmul() {
  return OpDef("MatMul")
      .api("matrix_multiply", "linalg")
      .doc(
          "Matrix product of two matrices: [m, k] by [k, n] -> [m, n]; `matmul` calls it.\n"
          "transpose_a and transpose_b read an operand transposed. Cost: 2 m n k flops.\n"
          "Errors: rank other than 2; inner dimensions that differ.")
      .type("T", kNumeric)
      .input("a", "T")
      .input("b", "T")
      .attr("transpose_a", false)
      .attr("transpose_b", false)
      .output("product", "T")
      .traits(Trait::contraction)
      .example("[2,3] [3,4]")
      .example("[3,2] [3,4] ; transpose_a=true")
      .example("[3,2] [4,3] ; transpose_a=true transpose_b=true")
      .example("[2,0] [0,3]");
}

OpDef define_batch_matmul() {
  return OpDef("BatchMatMulV2")
      .api("batch_matmul", "linalg")
      .doc(
          "Matrix product of the last two axes; the leading axes broadcast. `matmul` calls it "
          "beyond rank 2.\n"
          "Errors: rank below 2; inner dimensions that differ.")
      .type("T", kNumeric)
      .input("a", "T")
      .input("b", "T")
      .attr("adj_x", false)
      .attr("adj_y", false)
      .output("output", "T")
      .traits(Trait::contraction)
      .example("[5,2,3] [3,4]")
      .example("[2,1,2,3] [5,3,4]")
      .example("[5,3,2] [5,4,3] ; adj_x=true adj_y=true");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/functions.h>
#include <weir/ops/math.h>

namespace weir::ops {
namespace {

void infer_matmul(InferContext& c) {
  const ShapeView a = c.shape(0), b = c.shape(1);
  if (a.rank() < 2 || b.rank() < 2)
    c.fail("operands must be matrices",
           {},
           "rank 2 or more",
           "use reshape or expand_dims to add an axis");
  const bool ta = c.attr(0).b, tb = c.attr(1).b;
  const Dim m = a[a.rank() - (ta ? 1 : 2)], ka = a[a.rank() - (ta ? 2 : 1)];
  const Dim kb = b[b.rank() - (tb ? 1 : 2)], n = b[b.rank() - (tb ? 2 : 1)];
  if (ka.known() && kb.known() && ka != kb)
    c.fail("inner dimensions differ",
           {},
           "a.shape[-1] == b.shape[-2], here " + ka.to_string() + " and " + kb.to_string(),
           tb ? "" : "if b is stored transposed, pass transpose_b = true");
  Shape out = infer::broadcast(
      c, ShapeView(a.dims().data(), a.rank() - 2), ShapeView(b.dims().data(), b.rank() - 2));
  out.push_back(m);
  out.push_back(n);
  c.set(0, out);
}

/// The factor of a gradient: conjugate, by TensorFlow's convention for complex numbers.
Tensor factor(const Tensor& t) {
  return is_complex(t.dtype()) ? conj(t) : t;
}

void gradient_matmul(GradientContext& g) {
  const bool ta = g.attr(0).b, tb = g.attr(1).b;
  if (g.needs(0)) {
    const Tensor b = factor(g.input(1));
    g.set(0, unbroadcast(g, 0, ta ? matmul(b, g.dy(), tb, true) : matmul(g.dy(), b, false, !tb)));
  }
  if (g.needs(1)) {
    const Tensor a = factor(g.input(0));
    g.set(1, unbroadcast(g, 1, tb ? matmul(g.dy(), a, true, ta) : matmul(a, g.dy(), !ta, false)));
  }
}

}  // namespace

void implement_matmul(OpDef& op) {
  op.infer([](InferContext& c) {
      if (c.shape(0).rank() != 2 || c.shape(1).rank() != 2)
        c.fail("operands must be matrices", {}, "rank 2");
      infer_matmul(c);
    })
      .saves_input({0, 1})
      .gradient(gradient_matmul);
}

void implement_batch_matmul(OpDef& op) {
  op.infer(infer_matmul).saves_input({0, 1}).gradient(gradient_matmul);
}

}  // namespace weir::ops
#endif
