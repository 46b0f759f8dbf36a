#include <weir/variable.h>

#include "dispatch/autocast.h"
#include "dispatch/call.h"
#include "tensor/tensor_impl.h"
#include "tensor/variable_state.h"

namespace weir::inline v0 {
namespace {

[[noreturn]] void fail(std::source_location where,
                       Code code,
                       std::string what,
                       std::string got,
                       std::string expected,
                       std::string fix = {}) {
  throw Error({code,
               std::move(what),
               to_string(where),
               std::move(got),
               std::move(expected),
               std::move(fix)});
}

VariableState& checked(const std::shared_ptr<VariableState>& state) {
  if (!state)
    fail({},
         Code::failed_precondition,
         "use of an undefined Variable",
         "a default-constructed Variable",
         "a variable");
  return *state;
}

/// The value of a symbolic tensor that depends on no argument: a variable that is created while a
/// function is traced starts with it.
Tensor lifted(const Tensor& initial, const std::string& name, std::source_location where) {
  const TensorImpl& t = *initial.impl();
  std::string obstacle;
  Tensor value = t.source()->lift(t.node(), t.output(), obstacle);
  if (!value.defined())
    fail(where,
         Code::failed_precondition,
         "Variable '" + name + "': the initial value cannot be lifted out of the trace",
         "a value that depends on " + obstacle,
         "a value that depends on no argument of the function",
         "create the variable before the function is traced");
  return value;
}

}  // namespace

Variable::Variable(Tensor initial_value, VariableOptions options, std::source_location where) {
  if (!initial_value.defined())
    fail(where,
         Code::invalid_argument,
         "Variable '" + options.name + "'",
         "an undefined initial value",
         "a tensor");
  if (const char* function = dispatch::variables_forbidden_by())
    fail(where,
         Code::failed_precondition,
         "Variable '" + options.name + "' is created while function '" + function +
             "' is traced again",
         "a new variable",
         "variables of the first trace",
         "create the variable outside the function, once");
  if (initial_value.is_symbolic()) initial_value = lifted(initial_value, options.name, where);
  state_ = std::make_shared<VariableState>(std::move(initial_value), std::move(options));
}

DType Variable::dtype() const {
  return checked(state_).dtype();
}
Shape Variable::shape() const {
  return checked(state_).shape();
}
const std::string& Variable::name() const {
  return checked(state_).name;
}
bool Variable::trainable() const {
  return checked(state_).trainable;
}
void Variable::set_trainable(bool trainable) {
  checked(state_).trainable = trainable;
}
std::uint64_t Variable::version() const {
  return checked(state_).version();
}

Tensor Variable::value(std::source_location where) const {
  const DType own = checked(state_).dtype();
  Tensor t = dispatch::current_handler().read(state_, where);
  if (!dispatch::active_recorders().empty()) {
    // Tapes tell this read from a snapshot that was taken before, or while they were paused.
    t = TensorImpl::again(t);
    for (dispatch::Recorder* r : dispatch::active_recorders())
      r->record_read(state_, t);
  }
  const dispatch::Autocast& autocast = dispatch::autocast();
  return autocast.concerns(own) ? autocast.convert(t, autocast.dtype, where) : t;
}

}  // namespace weir::inline v0
