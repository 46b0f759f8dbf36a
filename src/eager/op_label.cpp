#include "eager/op_label.h"

#include "base/small_vector.h"
#include "dispatch/cost.h"
#include "tensor/tensor_impl.h"

namespace weir::eager {

profile::LabelPtr label_of(const dispatch::Invocation& call, const rt::Kernel* kernel) {
  auto label = std::make_shared<profile::Label>();
  label->category = profile::Category::op;
  label->name = label->op = call.op.name();
  if (kernel) label->kernel = kernel->name;
  base::SmallVector<SpecView, 6> inputs;
  for (const Tensor* t : call.inputs) {
    const SpecView spec = t->impl()->spec();
    inputs.push_back(spec);
    label->inputs += label->inputs.empty() ? "" : ", ";
    label->inputs += Spec{spec.dtype, spec.shape.to_shape()}.describe();
  }
  for (const Spec& s : call.outputs)
    label->result += (label->result.empty() ? "" : ", ") + s.describe();
  label->where = to_string(call.where);
  if (!kernel) return label;
  const Cost cost = dispatch::cost(call.op, inputs, call.outputs, call.attrs);
  label->flops = cost.flops;
  label->bytes = cost.bytes;
  return label;
}

}  // namespace weir::eager
