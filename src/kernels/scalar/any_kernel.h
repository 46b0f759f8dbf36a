#pragma once

/// Kernels of ops that move elements without looking at them: one for every dtype.

#include "kernels/scalar/types.h"

namespace weir::kernels::WEIR_ISA {

/// A string literal as a template argument.
template <std::size_t N>
struct Text {
  char s[N] = {};
  constexpr Text(const char (&text)[N]) { std::copy(text, text + N, s); }
};
template <Text Name>
struct Named {
  static constexpr const char* kOp = Name.s;
};

/// "Transpose/ref"
template <Text Name>
constexpr rt::Kernel any_kernel(Status (*run)(const rt::KernelCall&)) {
  return {.op = Named<Name>::kOp, .name = kKernelName<Named<Name>>.text, .isa = kIsa, .run = run};
}

}  // namespace weir::kernels::WEIR_ISA
