/// Random choices: permutations and draws from distributions over classes.
#include "ops/define.h"

namespace weir::ops {

OpDef define_stateless_permutation() {
  return OpDef("StatelessPermutation")
      .api("stateless_permutation", "random")
      .doc(
          "The integers [0, n) in random order, all orders equally likely: a function of the two "
          "integers of the seed.\n"
          "Shapes: seed int [2] -> int64 [n]. Errors: n < 0; a seed of another shape.")
      .static_operand("n", {.input = 0, .scalar = true})
      .type("Tseed", kIndex)
      .input("seed", "Tseed")
      .output("output", DType::int64)
      .traits(Trait::random | Trait::no_gradient)
      .example("i64[2]:0..9 ; n=7");
}

OpDef define_stateless_multinomial() {
  return OpDef("StatelessMultinomial")
      .api("stateless_categorical", "random")
      .doc(
          "Draws classes with the probabilities softmax(logits), num_samples for each row; -inf is "
          "never drawn.\n"
          "Shapes: logits [batch, classes], seed int [2] -> [batch, num_samples]. Errors: other "
          "ranks; num_samples < 0;\n"
          "no classes; a row without a finite logit.")
      .type("T", kFloating)
      .input("logits", "T")
      .static_operand("num_samples", {.input = 1, .scalar = true})
      .type("Tseed", kIndex)
      .input("seed", "Tseed")
      .type_attr("output_dtype", kIndex, "dtype", DType::int64)
      .output("output", "output_dtype")
      .traits(Trait::random | Trait::no_gradient)
      .example("[2,5]:-2..2 i64[2]:0..9 ; num_samples=3");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY

#include "ops/nn/shapes.h"

namespace weir::ops {
namespace {

void check_seed(InferContext& c, int input) {
  const ShapeView seed = c.shape(input);
  if (seed.rank() != 1 || (seed[0].known() && seed[0] != Dim(2)))
    c.fail("the seed must be two integers", {}, "shape [2]");
}

/// A count that a static operand gives.
Dim count(InferContext& c, int attr) {
  const auto n = c.ints(attr);
  if (!n) return Dim::unknown();
  if (n->size() != 1 || (*n)[0] < 0)
    c.fail("the count must be one number >= 0", Shape(*n).to_string());
  return Dim((*n)[0]);
}

}  // namespace

void implement_stateless_permutation(OpDef& op) {
  op.infer([](InferContext& c) {
    check_seed(c, 0);
    c.set(0, Shape{count(c, 0)});
  });
}

void implement_stateless_multinomial(OpDef& op) {
  op.infer([](InferContext& c) {
    infer::require_rank(c, 0, 2);
    check_seed(c, 1);
    if (c.shape(0)[1] == Dim(0)) c.fail("there are no classes to draw from");
    c.set(0, Shape{c.shape(0)[0], count(c, 0)});
  });
}

}  // namespace weir::ops
#endif
