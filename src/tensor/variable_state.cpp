#include "tensor/variable_state.h"

#include "tensor/tensor_impl.h"

namespace weir::inline v0 {

void VariableState::check_value(const Tensor& value, std::source_location where) const {
  const auto fail = [&](const char* what, std::string got, std::string expected) {
    throw Error({Code::invalid_argument,
                 "assign to '" + name + "': " + what,
                 to_string(where),
                 std::move(got),
                 std::move(expected),
                 {}});
  };
  if (!value.defined()) fail("an undefined tensor", "", "a tensor");
  if (value.dtype() != dtype()) fail("another dtype", value.describe(), weir::name(dtype()));
  const ShapeView given = value.impl()->shape();
  if (given.is_static() && given.to_shape() != shape())
    fail("another shape", value.describe(), shape().to_string());
}

}  // namespace weir::inline v0
