/// Writes into parts of variables.
#include <weir/functions.h>
#include <weir/ops/array.h>
#include <weir/variable.h>

#include <mutex>

#include "dispatch/call.h"
#include "tensor/tensor_impl.h"
#include "tensor/variable_state.h"

namespace weir::inline v0 {
namespace {

/// The value of a variable becomes change(value): eagerly under its lock, so that no update of
/// another thread is lost; in a trace as a read, the change and a write. If `change` throws, the
/// variable keeps its value.
template <class Change>
Tensor update(const Variable& v, const Operand& about, Change&& change) {
  if (!v.defined())
    throw Error({Code::failed_precondition,
                 "use of an undefined Variable",
                 to_string(about.where()),
                 "a default-constructed Variable",
                 "a variable with a value",
                 {}});
  dispatch::Handler& handler = dispatch::current_handler();
  if (handler.is_tracing())
    return handler.write(v.state(), change(v.value(about.where())), about.where());
  VariableState& state = *v.state();
  std::lock_guard lock(state.mutex);
  dispatch::PauseRecording pause;
  state.set_locked(change(state.value_locked()));
  return state.value_locked();
}

/// An operand without its variable, which may be the one that is locked.
class Read {
 public:
  explicit Read(const Operand& o)
      : tensor_(o.is_scalar() ? Tensor() : o.to_tensor()), operand_(o) {}
  Operand operator()() const {
    return tensor_.defined() ? Operand(tensor_, operand_.where()) : operand_;
  }

 private:
  Tensor tensor_;
  Operand operand_;
};

using Scatter = Tensor (*)(Operand x, Operand indices, Operand updates);

Tensor scatter_at(const Variable& v,
                  const Operand& indices,
                  const Operand& updates,
                  Scatter scatter) {
  const dispatch::OperandScope scope({indices, updates});
  const Read at(indices), rest(updates);
  return update(v, indices, [&](const Tensor& value) {
    return scatter(Operand(value, indices.where()), at(), rest());
  });
}

/// Rows: every index is a coordinate of its own.
Tensor scatter_rows(const Variable& v,
                    const Operand& indices,
                    const Operand& updates,
                    Scatter scatter) {
  const Tensor at = expand_dims(indices, -1);
  return scatter_at(v, Operand(at, indices.where()), updates, scatter);
}

}  // namespace

Tensor scatter_update(const Variable& v, Operand indices, Operand updates) {
  return scatter_rows(v, indices, updates, tensor_scatter_update);
}
Tensor scatter_add(const Variable& v, Operand indices, Operand updates) {
  return scatter_rows(v, indices, updates, tensor_scatter_add);
}
Tensor scatter_sub(const Variable& v, Operand indices, Operand updates) {
  return scatter_rows(v, indices, updates, tensor_scatter_sub);
}
Tensor scatter_mul(const Variable& v, Operand indices, Operand updates) {
  return scatter_rows(v, indices, updates, tensor_scatter_mul);
}
Tensor scatter_div(const Variable& v, Operand indices, Operand updates) {
  return scatter_rows(v, indices, updates, tensor_scatter_div);
}
Tensor scatter_max(const Variable& v, Operand indices, Operand updates) {
  return scatter_rows(v, indices, updates, tensor_scatter_max);
}
Tensor scatter_min(const Variable& v, Operand indices, Operand updates) {
  return scatter_rows(v, indices, updates, tensor_scatter_min);
}
Tensor scatter_nd_update(const Variable& v, Operand indices, Operand updates) {
  return scatter_at(v, indices, updates, tensor_scatter_update);
}
Tensor scatter_nd_add(const Variable& v, Operand indices, Operand updates) {
  return scatter_at(v, indices, updates, tensor_scatter_add);
}
Tensor scatter_nd_sub(const Variable& v, Operand indices, Operand updates) {
  return scatter_at(v, indices, updates, tensor_scatter_sub);
}

Tensor assign_slice(const Variable& v, std::initializer_list<Index> indices, Operand value) {
  const dispatch::OperandScope scope({value});
  const Read part(value);
  return update(v, value, [&](const Tensor& old) {
    return set_slice(Operand(old, value.where()), indices, part());
  });
}

}  // namespace weir::inline v0
