/// Tensors repeated along axes.
#include "ops/define.h"

namespace weir::ops {

OpDef define_tile() {
  return OpDef("Tile")
      .api("tile", "array")
      .doc(
          "The operand multiples[i] times along axis i.\nErrors: not one multiple per axis; a "
          "negative one.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("multiples", {.input = 1, .type_attr = "Tmultiples"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[2,3] ; multiples=[2,1]")
      .example("[2,3] ; multiples=[0,3]")
      .example("[] ; multiples=[]");
}

OpDef define_broadcast_to() {
  return OpDef("BroadcastTo")
      .api("broadcast_to", "array")
      .doc(
          "The operand broadcast to a shape, as NumPy does: axes of length 1 and missing leading "
          "axes are repeated.\n"
          "A dimension of -1 keeps the operand's.\n"
          "Errors: fewer axes than the operand; a dimension that differs from one that is not 1.")
      .type("T", kAnyType)
      .input("x", "T")
      .static_operand("shape", {.input = 1, .type_attr = "Tidx"})
      .output("output", "T")
      .stored_as("x", "input")
      .example("[3] ; shape=[2,3]")
      .example("[2,1] ; shape=[4,2,3]")
      .example("[1] ; shape=[0]");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

Dim times(Dim d, std::int64_t n) {
  if (n == 0 || d == Dim(0)) return Dim(0);
  if (n == 1 || !d.known()) return n == 1 ? d : Dim::unknown();
  std::int64_t product = 0;
  return __builtin_mul_overflow(d.value(), n, &product) ? Dim(INT64_MAX) : Dim(product);
}

void infer_tile(InferContext& c) {
  const ShapeView in = c.shape(0);
  const std::int64_t count = c.ints_count(0);
  if (count >= 0 && count != in.rank())
    c.fail("multiples need one entry per axis",
           std::to_string(count) + " with " + c.describe_inputs(),
           std::to_string(in.rank()));
  const auto multiples = c.ints(0);
  if (!multiples) return c.set(0, array::open_shape(in.rank()));
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    const std::int64_t n = (*multiples)[std::size_t(i)];
    if (n < 0) c.fail("a multiple is negative", Shape(*multiples).to_string(), "multiples >= 0");
    out.push_back(times(in[i], n));
  }
  c.set(0, out);
}

/// Every axis is cut into (multiple, length); the sum over the multiples is the gradient.
void gradient_tile(GradientContext& g) {
  array::require_ranks(g, "Tile");
  const array::Passed multiples(g, 0);
  const ShapeView in = g.input_shape(0);
  std::vector<std::int64_t> axes, cut;
  int unknown = 0;
  for (int i = 0; i < in.rank(); ++i) {
    axes.push_back(2 * i);
    cut.push_back(multiples.known() ? multiples.values()[std::size_t(i)] : -1);
    cut.push_back(in[i].value());
    unknown += (cut[std::size_t(2 * i)] < 0) + !in[i].known();
  }
  if (unknown <= 1) return g.set(0, reshape(sum(reshape(g.dy(), cut), axes), g.input_dims(0)));
  const Ints dims = g.input_dims(0);
  const DType dtype = multiples.known() ? dims.tensor()->dtype() : multiples.tensor().dtype();
  const Tensor lengths = dims.tensor()
                             ? cast(*dims.tensor(), dtype)
                             : array::integers({dims.values().begin(), dims.values().end()}, dtype);
  const Tensor counts =
      multiples.known() ? array::integers(multiples.values(), dtype) : multiples.tensor();
  g.set(0, reshape(sum(reshape(g.dy(), reshape(stack({counts, lengths}, 1), {-1})), axes), dims));
}

void infer_broadcast_to(InferContext& c) {
  const auto dims = c.ints(0);
  if (!dims) return c.set(0, array::open_shape(c.ints_count(0)));
  const ShapeView in = c.shape(0);
  const int lead = int(dims->size()) - in.rank();
  const auto fail = [&] {
    c.fail("the operand does not broadcast to the shape",
           c.describe_inputs() + " to " + Shape(*dims).to_string());
  };
  if (lead < 0) fail();
  Shape out;
  for (int i = 0; i < int(dims->size()); ++i) {
    const std::int64_t want = (*dims)[std::size_t(i)];
    const Dim have = i < lead ? Dim(1) : in[i - lead];
    if (want < -1 || (want == -1 && i < lead)) fail();
    if (want >= 0 && have.known() && have != Dim(1) && have != Dim(want)) fail();
    out.push_back(want < 0 ? have : Dim(want));
  }
  c.set(0, out);
}

std::int64_t alias_broadcast_to(SpecView in, const Spec& out, std::span<const rt::Attr>) {
  return in.shape.size() == out.shape.size() ? 0 : -1;
}

}  // namespace

void implement_tile(OpDef& op) {
  op.infer(infer_tile).saves_input({1}).gradient(gradient_tile);
}

void implement_broadcast_to(OpDef& op) {
  op.infer(infer_broadcast_to).alias(alias_broadcast_to).gradient([](GradientContext& g) {
    g.set(0, unbroadcast(g, 0, g.dy()));
  });
}

}  // namespace weir::ops
#endif
