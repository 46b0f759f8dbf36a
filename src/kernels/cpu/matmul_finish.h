#pragma once

#include "kernels/cpu/gemm.h"
#include "kernels/scalar/any_kernel.h"
#include "runtime/tile_program.h"

// Epilogues that the contraction can run in registers.
namespace weir::kernels::WEIR_ISA {
namespace {

// The kernel that computes what `code` stands for, with the product as operand `sum_at`.
struct FinishKernel {
  std::uint64_t kernel;
  int sources;
  int sum_at;
  FinishCode code;
};

template <class T, Text Op>
inline constexpr std::uint64_t kIdOf = rt::kernel_id(kKernelName<Named<Op>, T>.text);

template <class T>
inline constexpr FinishKernel kFinishKernels[] = {
    {kIdOf<T, "BiasAdd">, 2, 0, FinishCode::add},
    {kIdOf<T, "AddV2">, 2, 0, FinishCode::add},
    {kIdOf<T, "AddV2">, 2, 1, FinishCode::add},
    {kIdOf<T, "Sub">, 2, 0, FinishCode::subtract},
    {kIdOf<T, "Sub">, 2, 1, FinishCode::subtract_from},
    {kIdOf<T, "Mul">, 2, 0, FinishCode::multiply},
    {kIdOf<T, "Mul">, 2, 1, FinishCode::multiply},
    {kIdOf<T, "Relu">, 1, 0, FinishCode::relu},
    {kIdOf<T, "ReluGrad">, 2, 0, FinishCode::relu_gradient},
};

template <class T>
const FinishKernel* find_finish_kernel(const rt::TileOp& op, int sum_at) {
  for (const FinishKernel& k : kFinishKernels<T>) {
    if (k.kernel == op.kernel && k.sources == op.sources && k.sum_at == sum_at) return &k;
  }
  return nullptr;
}

// The tile program as operations on the sums: each op takes what the last one made, and otherwise
// reads operands only. False if it does more than that.
template <class T>
bool make_finish(const rt::Epilogue& epilogue, GemmFinish<T>& finish) {
  if (epilogue.run != rt::run_tile_epilogue) return false;
  const auto& e = *static_cast<const rt::TileEpilogue*>(epilogue.arg);
  const rt::TileProgram& p = *e.program;
  if (p.results != 1 || p.op_count > GemmFinish<T>::kMaxOps) return false;
  int sum = p.inputs;
  for (const rt::TileOp *op = p.ops, *end = op + p.op_count; op != end; ++op) {
    const int sum_at = op->sources > 1 && op->source[1] == sum ? 1 : 0;
    if (op->sources == 0 || op->source[sum_at] != sum) return false;
    const FinishKernel* k = find_finish_kernel<T>(*op, sum_at);
    if (k == nullptr) return false;
    FinishOp<T>& f = finish.ops[finish.count++];
    f = {k->code};
    if (k->sources == 2) {
      const int other = op->source[1 - sum_at];
      if (other < p.first_input || other >= p.inputs) return false;
      const rt::View& y = e.in[other];
      const bool one = y.rank == 0 || y.dims[y.rank - 1] == 1;
      if (one && y.size() != 1) return false;  // a column
      f = {k->code, y.as<T>(), rt::row_step(y), one ? 0 : 1};
    }
    sum = op->target;
  }
  return sum == p.inputs;
}

}  // namespace
}  // namespace weir::kernels::WEIR_ISA
