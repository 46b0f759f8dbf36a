/// Writes of variables. A write is an effect: it keeps its place among the reads and writes of the
/// same variable.
#include <weir/autocast.h>
#include <weir/operators.h>
#include <weir/variable.h>

#include <mutex>

#include "dispatch/handler.h"
#include "tensor/convert.h"
#include "tensor/tensor_impl.h"
#include "tensor/variable_state.h"

namespace weir::inline v0 {
namespace {

using Where = std::source_location;

const std::shared_ptr<VariableState>& checked(const Variable& v, Where where) {
  if (v.defined()) return v.state();
  throw Error({Code::failed_precondition,
               "use of an undefined Variable",
               to_string(where),
               "a default-constructed Variable",
               "a variable with a value",
               {}});
}

Tensor value_of(const VariableState& v, const Operand& o) {
  return o.is_scalar() ? tensor::adopt_scalar(o.scalar(), v.dtype()) : o.to_tensor();
}

dispatch::Handler& handler_of(const Tensor& value, Where where) {
  const Tensor* operands[] = {&value};
  return dispatch::handler_for(operands, where, "assign");
}

/// Eager read-modify-write under the variable's lock: no update of another thread is lost, and the
/// sum is written over the old value when nobody holds a snapshot of it.
template <class Op>
Tensor update_now(VariableState& v, const Tensor& delta, Where where, Op op) {
  std::lock_guard lock(v.mutex);
  dispatch::PauseRecording pause;
  Tensor result = op(Operand(std::move(v.value_locked()), where), Operand(delta, where));
  v.set_locked(std::move(result));
  return v.value_locked();
}

template <class Op>
Tensor update(const Variable& variable, const Operand& o, Op op) {
  VariableState& v = *checked(variable, o.where());
  const AutocastScope as_they_are(DType::invalid);
  const Tensor delta = value_of(v, o);
  // The whole check comes first: a failure must not consume the old value.
  if (!delta.defined() || delta.dtype() != v.dtype() || delta.rank() != 0)
    v.check_value(delta, o.where());
  dispatch::Handler& handler = handler_of(delta, o.where());
  if (!handler.is_tracing()) return update_now(v, delta, o.where(), op);
  const Tensor sum = op(Operand(variable, o.where()), Operand(delta, o.where()));
  v.check_value(sum, o.where());
  return handler.write(variable.state(), sum, o.where());
}

}  // namespace

Tensor Variable::assign(Operand o) const {
  VariableState& v = *checked(*this, o.where());
  const AutocastScope as_they_are(DType::invalid);
  const Tensor value = value_of(v, o);
  v.check_value(value, o.where());
  return handler_of(value, o.where()).write(state_, value, o.where());
}

Tensor Variable::assign_add(Operand o) const {
  return update(*this, o, [](Operand a, Operand b) { return a + b; });
}

Tensor Variable::assign_sub(Operand o) const {
  return update(*this, o, [](Operand a, Operand b) { return a - b; });
}

}  // namespace weir::inline v0
