#pragma once

#include <cstdint>

/// What the CPU can do, and which of the instruction sets that kernels are compiled for is used.
namespace weir::platform {

/// Sets that kernels are compiled for, each one containing those before it. `avx2` stands for AVX2,
/// FMA and F16C, `avx512` for F, BW, DQ and VL besides. On other processors `baseline` is all.
enum class Isa : uint8_t { baseline, avx2, avx512 };

/// The best set of this machine, whatever the environment says.
Isa detect();

/// The set to use: the one that WEIR_ISA names if this machine has it, else detect(). Decided once.
Isa isa();

/// "baseline", "avx2" or "avx512": also the namespace of the kernels compiled for it.
const char* isa_name(Isa isa);

/// Why the value of WEIR_ISA was not followed; empty if it was, or if it is not set.
const char* isa_note();

struct IsaChoice {
  Isa isa;
  const char* note;
};

/// The rule behind isa() and isa_note(): what a request (null: none) gives where `best` is the
/// best.
IsaChoice choose_isa(const char* request, Isa best);

/// Name of the processor as it calls itself ("AMD EPYC 7763 ..."), or its architecture.
const char* cpu_name();

/// Features beyond the sets that matter to kernels ("avx512_bf16 avx512_vnni amx"), or "".
const char* cpu_extras();

}  // namespace weir::platform
