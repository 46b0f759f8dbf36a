#pragma once

/// Operands in the layout that a kernel likes best, kept with their buffer: the weights of a model
/// that is called eagerly again and again. A packed operand gives the same bits as a plain one.

#include "runtime/kernel_util.h"
#include "tensor/tensor_impl.h"

namespace weir::eager {

/// The packed form of `operand` for this call, made at the second use in a row that wants the same
/// one; null if there is none (first use, small operands, memory of the user's, no memory left).
const void* packed_operand(const rt::KernelCall& call,
                           const rt::Needs& needs,
                           const Tensor& operand);

}  // namespace weir::eager
