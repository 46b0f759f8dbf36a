#pragma once

/// The one choice of a kernel, used by eager and by plan: candidates of an op in order of
/// preference (registered by the program, then by instruction set, then the reference), the first
/// that accepts the dtypes wins.

#include <weir/kernel.h>

#include <array>
#include <cstddef>
#include <span>

namespace weir::kernels {

/// Built-in tables in order of preference; generated from kernels.list.
std::span<const rt::KernelTable> builtin_tables();

/// The kernel for an op with these operand dtypes; null if there is none. Thread-safe; `op_id` is
/// OpDef::id().
const rt::Kernel* select(const char* op,
                         int op_id,
                         std::span<const DType> inputs,
                         std::span<const DType> outputs);

/// The same with the dtypes as the key of a choice: those of in[0], in[1], out[0], out[1], no more
/// decide; DType::invalid where there is none.
using Types = std::array<DType, rt::kMaxTypes>;
const rt::Kernel* select(const char* op, int op_id, const Types& types);

/// The kernel of a stored id (rt::kernel_id of its name); null if this process has none.
const rt::Kernel* find(std::uint64_t id);

/// How many choices are remembered: one for each op and combination of dtypes that was met, however
/// many calls there are.
std::size_t remembered_choices();

/// Every kernel that the machine can run for `op`, best first: for tests that compare them.
std::size_t candidates(const char* op, std::span<const rt::Kernel*> out);

/// The level that selection uses: the machine's, or the lower one that WEIR_ISA names.
rt::Isa active_isa();

}  // namespace weir::kernels
