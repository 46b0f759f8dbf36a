#pragma once

/// What the array ops share: arithmetic on dimensions that may be unknown, and static operands in
/// gradients.

#include "ops/define.h"

namespace weir::ops::array {

/// A static operand of one integer; nothing while it is not known.
std::optional<std::int64_t> scalar(InferContext& c, int attr);
/// The axis that a scalar static operand names, in [0, rank); nothing while it is not known.
std::optional<int> axis(InferContext& c, int attr, int rank);
/// A shape of which only the rank is known; of unknown rank if `rank` is negative.
Shape open_shape(std::int64_t rank);
/// The sum where it is known, or where one of the two is 0.
Dim sum(Dim a, Dim b);
/// Two dimensions that must be equal; fails with `what` if they cannot be.
Dim equal(InferContext& c, Dim a, Dim b, const char* what);
/// Fails unless input `i` is a scalar.
void require_scalar(InferContext& c, int i);

/// A static operand as a gradient passes it on. Lives longer than the Ints it gives.
class Passed {
 public:
  Passed(const GradientContext& g, int attr);
  /// False while the value is a symbolic tensor.
  bool known() const { return !tensor_.defined(); }
  const std::vector<std::int64_t>& values() const { return values_; }
  const Tensor& tensor() const { return tensor_; }
  operator Ints() const {
    return tensor_.defined() ? Ints(tensor_) : absent_ ? Ints() : Ints(values_);
  }

 private:
  Tensor tensor_;
  bool absent_ = false;
  std::vector<std::int64_t> values_;
};

/// A vector of int32 or int64.
Tensor integers(const std::vector<std::int64_t>& list, DType dtype);

/// Throws, naming `op`, unless the ranks of all inputs are known: where axes decide, a gradient
/// needs them.
void require_ranks(const GradientContext& g, const char* op);
/// A static operand of one integer, known at run time only, as an axis in [0, rank): a scalar.
Tensor axis_tensor(const Tensor& axis, int rank);
/// The dimensions of input i as a vector.
Tensor dims_tensor(const GradientContext& g, int i);

/// The permutation that undoes `perm`.
std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& perm);

}  // namespace weir::ops::array
