/// Random numbers that are a function of a seed: pure ops, with TensorFlow's numbers.
#include "ops/define.h"

namespace weir::ops {

namespace {

/// What all of them begin with: the shape and the seed.
OpDef stateless(const char* name, const char* api, const std::string& what) {
  return OpDef(name)
      .api(api, "random")
      .doc(what +
           "\nThe numbers are a function of the two integers of the seed alone: the same in every "
           "mode, on every device,\n"
           "for any number of threads, in every release (Philox 4x32-10). Shapes: seed int [2] -> "
           "[shape].\n"
           "Errors: a seed of another shape; a negative dimension.")
      .static_operand("shape", {.input = 0, .type_attr = "T"})
      .type("Tseed", kIndex)
      .input("seed", "Tseed");
}

}  // namespace

OpDef define_stateless_uniform() {
  return stateless("StatelessRandomUniform", "stateless_uniform", "Uniform numbers in [0, 1).")
      .type_attr("dtype", kFloating, "dtype", DType::float32)
      .output("output", "dtype")
      .traits(Trait::random | Trait::no_gradient)
      .example("i64[2]:0..9 ; shape=[2,3]");
}

OpDef define_stateless_normal() {
  return stateless("StatelessRandomNormal",
                   "stateless_normal",
                   "Normal numbers of mean 0 and deviation 1.")
      .type_attr("dtype", kFloating, "dtype", DType::float32)
      .output("output", "dtype")
      .traits(Trait::random | Trait::no_gradient)
      .example("i64[2]:0..9 ; shape=[2,3]");
}

OpDef define_stateless_truncated_normal() {
  return stateless("StatelessTruncatedNormal",
                   "stateless_truncated_normal",
                   "Normal numbers of mean 0 and deviation 1; those beyond 2 are drawn again.")
      .type_attr("dtype", kFloating, "dtype", DType::float32)
      .output("output", "dtype")
      .traits(Trait::random | Trait::no_gradient)
      .example("i64[2]:0..9 ; shape=[2,3]");
}

OpDef define_stateless_uniform_int() {
  return stateless(
             "StatelessRandomUniformInt",
             "stateless_uniform_int",
             "Uniform integers in [minval, maxval), of the dtype of the bounds. A range that is "
             "not a power of 2\n"
             "is biased by less than range / 2^32 (2^64 for int64). Errors: minval >= maxval.")
      .type("dtype", kIndex)
      .input("minval", "dtype")
      .input("maxval", "dtype")
      .output("output", "dtype")
      .traits(Trait::random | Trait::no_gradient)
      .example("i64[2]:0..9 i32[]:0..3 i32[]:5..9 ; shape=[2,3]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY

namespace weir::ops {
namespace {

void infer_stateless(InferContext& c) {
  const ShapeView seed = c.shape(0);
  if (seed.rank() != 1 || (seed[0].known() && seed[0] != Dim(2)))
    c.fail("the seed must be two integers", {}, "shape [2]");
  for (int i = 1; i < int(c.op().input_defs().size()); ++i) {
    if (c.shape(i).rank() != 0) c.fail("minval and maxval must be scalars");
  }
  const auto dims = c.ints(0);
  if (dims) {
    for (std::int64_t d : *dims) {
      if (d < 0) c.fail("a dimension is negative", Shape(*dims).to_string(), "dimensions >= 0");
    }
    return c.set(0, Shape(*dims));
  }
  const std::int64_t rank = c.ints_count(0);
  Shape out = rank < 0 ? Shape::unknown_rank() : Shape{};
  for (std::int64_t i = 0; i < rank; ++i)
    out.push_back(Dim::unknown());
  c.set(0, out);
}

}  // namespace

void implement_stateless_uniform(OpDef& op) {
  op.infer(infer_stateless);
}
void implement_stateless_normal(OpDef& op) {
  op.infer(infer_stateless);
}
void implement_stateless_truncated_normal(OpDef& op) {
  op.infer(infer_stateless);
}
void implement_stateless_uniform_int(OpDef& op) {
  op.infer(infer_stateless);
}

}  // namespace weir::ops
#endif
