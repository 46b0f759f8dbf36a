#include "ops/define.h"

namespace weir::ops {

OpDef define_reshape() {
  return OpDef("Reshape")
      .api("reshape", "array")
      .doc(
          "The same elements in another shape. One dimension may be -1: what is left.\n"
          "Errors: the numbers of elements differ; two dimensions are -1.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("shape", {.input = 1, .type_attr = "Tshape"})
      .output("output", "T")
      .stored_as("x", "tensor")
      .traits(Trait::view)
      .example("[2,3] ; shape=[3,2]")
      .example("[2,3,4] ; shape=[-1,4]")
      .example("[1] ; shape=[]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>

namespace weir::ops {
namespace {

/// What is known of the dimension that is -1: the rest of the elements, a symbol that it inherits,
/// or nothing.
Dim rest(InferContext& c, ShapeView in, std::span<const std::int64_t> dims) {
  std::int64_t known_in = 1;
  std::int64_t known_out = 1;
  Dim open = Dim(1);
  int unknown = 0;
  for (Dim d : in.dims()) {
    if (d.known())
      known_in *= d.value();
    else
      ++unknown, open = d;
  }
  for (std::int64_t d : dims)
    known_out *= d < 0 ? 1 : d;
  if (unknown == 1 && known_in == known_out) return open;
  if (unknown > 0) return Dim::unknown();
  if (known_out == 0 || known_in % known_out != 0)
    c.fail("the elements cannot be reshaped",
           c.describe_inputs() + " to " + Shape(dims).to_string(),
           known_out == 0
               ? "no -1 beside a dimension of 0"
               : "a number of elements that is a multiple of " + std::to_string(known_out));
  return Dim(known_in / known_out);
}

void infer_reshape(InferContext& c) {
  const auto dims = c.ints(0);
  if (!dims) {
    const std::int64_t rank = c.ints_count(0);
    Shape out = rank < 0 ? Shape::unknown_rank() : Shape{};
    for (std::int64_t i = 0; i < rank; ++i)
      out.push_back(Dim::unknown());
    return c.set(0, out);
  }
  Shape out;
  int open = -1;
  for (std::int64_t d : *dims) {
    if (d < -1)
      c.fail("a dimension is negative", Shape(*dims).to_string(), "dimensions >= 0, or one -1");
    if (d == -1 && open >= 0) c.fail("two dimensions are -1", {}, "at most one -1");
    if (d == -1) open = out.rank();
    out.push_back(Dim(d));
  }
  if (open >= 0) out[open] = rest(c, c.shape(0), *dims);
  const std::int64_t in_size = c.shape(0).size();
  if (in_size >= 0 && out.size() >= 0 && in_size != out.size())
    c.fail("the numbers of elements differ",
           c.describe_inputs() + " (" + std::to_string(in_size) + " elements) to " +
               out.to_string() + " (" + std::to_string(out.size()) + ")",
           "equal numbers of elements");
  c.set(0, out);
}

}  // namespace

void implement_reshape(OpDef& op) {
  op.infer(infer_reshape).gradient([](GradientContext& g) {
    g.set(0, reshape(g.dy(), g.input_dims(0)));
  });
}

}  // namespace weir::ops
#endif
