/// Ops that return their operand as it is, or its bytes under another dtype.
#include "ops/define.h"

namespace weir::ops {

OpDef define_identity() {
  return OpDef("Identity")
      .api("identity", "array")
      .doc("The operand itself: a node with a name in a graph.")
      .type("T", kAnyType)
      .input("x", "T")
      .output("output", "T")
      .stored_as("x", "input")
      .traits(Trait::view | Trait::idempotent)
      .example("[2,3]")
      .example("[0]");
}

OpDef define_stop_gradient() {
  return OpDef("StopGradient")
      .api("stop_gradient", "array")
      .doc("The operand itself, a constant to gradients: nothing flows back through it.")
      .type("T", kAnyType)
      .input("x", "T")
      .output("output", "T")
      .stored_as("x", "input")
      .traits(Trait::view | Trait::idempotent | Trait::no_gradient)
      .example("[2,3]");
}

OpDef define_prevent_gradient() {
  return OpDef("PreventGradient")
      .api("prevent_gradient", "array")
      .doc("The operand itself; asking for a gradient through it is an error that says `message`.")
      .type("T", kAnyType)
      .input("x", "T")
      .attr("message", "")
      .output("output", "T")
      .stored_as("x", "input")
      .traits(Trait::view)
      .example("[2,3]");
}

OpDef define_ensure_shape() {
  return OpDef("EnsureShape")
      .api("ensure_shape", "array")
      .doc(
          "The operand itself, whose shape must be `shape`; -1 accepts any dimension.\n"
          "Errors: another rank; another dimension where both are known.")
      .type("T", kAnyType)
      .input("x", "T")
      .attr("shape", rt::Attr::Kind::ints)
      .output("output", "T")
      .stored_as("x", "input")
      .traits(Trait::view)
      .example("[2,3] ; shape=[-1,3]");
}

OpDef define_bitcast() {
  return OpDef("Bitcast")
      .api("bitcast", "array")
      .doc(
          "The same bytes read as another dtype. A wider element becomes a last axis of narrower "
          "ones, and a last axis\n"
          "of the right length becomes a wider element.\n"
          "Errors: a wider dtype and a last axis that is not the ratio of the sizes.")
      .type("T", kPlain)
      .input("x", "T")
      .type_attr("type", kPlain, "type")
      .output("output", "type")
      .stored_as("x", "input")
      .traits(Trait::no_gradient)
      .example("f32[2,3] ; type=int32")
      .example("f64[2] ; type=uint8")
      .example("u8[3,4] ; type=uint32");
}

}  // namespace weir::ops

#ifndef WEIR_SCHEMA_ONLY
#include <weir/ops/array.h>

#include "ops/array/helpers.h"

namespace weir::ops {
namespace {

void pass_through(GradientContext& g) {
  g.set(0, g.dy());
}

void infer_ensure_shape(InferContext& c) {
  const auto expected = *c.ints(0);
  const ShapeView in = c.shape(0);
  if (std::size_t(in.rank()) != expected.size())
    c.fail("another rank", {}, Shape(expected).to_string());
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    const Dim want(expected[std::size_t(i)]);
    if (in[i].known() && want.known() && in[i] != want)
      c.fail("another shape", {}, Shape(expected).to_string());
    out.push_back(want.known() ? want : in[i]);
  }
  c.set(0, out);
}

void infer_bitcast(InferContext& c) {
  const std::int64_t from = byte_size(c.dtype(0)), to = byte_size(c.attr(0).t);
  const ShapeView in = c.shape(0);
  Shape out = in.to_shape();
  if (from > to) out.push_back(from / to);
  if (from < to) {
    const bool fits =
        in.rank() > 0 && (!in[in.rank() - 1].known() || in[in.rank() - 1] == Dim(to / from));
    if (!fits)
      c.fail("the last axis does not make whole elements of the wider dtype",
             {},
             "a last axis of " + std::to_string(to / from));
    out = Shape(in.dims().first(std::size_t(in.rank() - 1)));
  }
  c.set(0, out);
}

}  // namespace

void implement_identity(OpDef& op) {
  op.infer(infer::same_as_first).gradient(pass_through);
}

void implement_stop_gradient(OpDef& op) {
  op.infer(infer::same_as_first);
}

void implement_prevent_gradient(OpDef& op) {
  op.infer(infer::same_as_first).gradient([](GradientContext& g) {
    const rt::Attr& message = g.attr(0);
    ErrorInfo e;
    e.code = Code::failed_precondition;
    e.what = "PreventGradient: a gradient was asked for through an op that forbids it";
    e.got = std::string(message.s, message.count);
    throw Error(e);
  });
}

void implement_ensure_shape(OpDef& op) {
  op.infer(infer_ensure_shape).gradient(pass_through);
}

void implement_bitcast(OpDef& op) {
  op.infer(infer_bitcast);
}

}  // namespace weir::ops
#endif
