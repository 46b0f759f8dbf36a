#pragma once

/// The cases of one op: each example with each choice of dtypes.

#include <gtest/gtest.h>

#include <memory>

#include "dispatch/call.h"
#include "op_suite/example.h"

namespace weir::op_suite {

struct Case {
  const OpDef* op;
  std::shared_ptr<Attributes> attrs;
  std::vector<Tensor> inputs;
  std::string label;  // "[2,3] [3] as float32, float32"

  std::vector<Tensor> call(std::span<const Tensor> operands) const;
  std::vector<Tensor> call() const { return call(inputs); }
};

/// All cases. Examples that cannot be read are test failures.
std::vector<Case> cases_of(const OpDef& op);
/// One case for each example, with float64 for every type that can be it: for difference quotients.
/// Without those examples that have no float64 input.
std::vector<Case> float64_cases_of(const OpDef& op);
/// The same with complex128, without those examples that have no complex input.
std::vector<Case> complex_cases_of(const OpDef& op);
/// The same calls with no elements: the leading dimension of the inputs of the highest rank is 0.
std::vector<Case> empty_cases_of(const OpDef& op);

/// The calls of which enough elements can be made that threads share the work: the examples with
/// more of each dimension. Without examples whose attributes allow no other sizes.
std::vector<Case> large_cases_of(const OpDef& op);
/// The static operands of each example as operands of their own, behind the inputs: int32 and,
/// where the definition leaves a choice, int64.
std::vector<Case> dynamic_cases_of(const OpDef& op);

/// The refusal of an op that exists to refuse gradients.
bool forbids_gradients(const Error& e);

/// Test parameter: the name of a built-in op.
class OpTest : public testing::TestWithParam<std::string> {
 protected:
  const OpDef& op() const { return *find_op(GetParam()); }
};

}  // namespace weir::op_suite
