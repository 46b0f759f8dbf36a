#include "dispatch/cost.h"

#include <algorithm>
#include <cmath>

namespace weir::dispatch {
namespace {

double product(ShapeView shape, int first) {
  double n = 1;
  for (int i = first; i < shape.rank(); ++i)
    n *= shape[i].known() ? double(shape[i].value()) : 1;
  return n;
}

double size(ShapeView shape) {
  return product(shape, 0);
}

/// Elements of one matrix of a batch.
double matrix(ShapeView shape) {
  return product(shape, std::max(0, shape.rank() - 2));
}

/// 2 m n k for each matrix of the batch: (mk * kn * mn)^1/2 = mnk, whichever operand is transposed.
double contraction_flops(std::span<const SpecView> inputs, const Shape& out) {
  const double mnk = std::sqrt(matrix(inputs[0].shape) * matrix(inputs[1].shape) * matrix(out));
  return matrix(out) > 0 ? 2 * mnk * size(out) / matrix(out) : 0;
}

double flops(const OpDef& op,
             std::span<const SpecView> inputs,
             std::span<const Spec> outputs,
             std::span<const rt::Attr> attrs) {
  if (op.cost_fn()) return op.cost_fn()(inputs, outputs, attrs).flops;
  if (outputs.empty()) return 0;
  if (op.is(Trait::contraction) && inputs.size() >= 2)
    return contraction_flops(inputs, outputs[0].shape);
  if (op.is(Trait::reduction) && !inputs.empty()) return size(inputs[0].shape);
  return op.is(Trait::elementwise) ? size(outputs[0].shape) : 0;
}

}  // namespace

double bytes(DType dtype, ShapeView shape) {
  return size(shape) * double(byte_size(dtype));
}

Cost cost(const OpDef& op,
          std::span<const SpecView> inputs,
          std::span<const Spec> outputs,
          std::span<const rt::Attr> attrs) {
  if (op.is(Trait::view) || op.is(Trait::shape_only)) return {};
  Cost c{flops(op, inputs, outputs, attrs), 0};
  for (const SpecView& s : inputs)
    c.bytes += bytes(s.dtype, s.shape);
  for (const Spec& s : outputs)
    c.bytes += bytes(s.dtype, s.shape);
  return c;
}

}  // namespace weir::dispatch
