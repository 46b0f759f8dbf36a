#pragma once

/// The seed operand of the stateless random ops.

#include <weir/kernel.h>

#include "kernels/scalar/philox.h"

namespace weir::kernels::WEIR_ISA {

inline weir_philox philox_from(const rt::View& seed) {
  if (seed.dtype == DType::int32) {
    const auto* s = seed.as<std::int32_t>();
    return weir_philox_from_seed(std::uint64_t(std::int64_t(s[0])),
                                 std::uint64_t(std::int64_t(s[1])));
  }
  const auto* s = seed.as<std::int64_t>();
  return weir_philox_from_seed(std::uint64_t(s[0]), std::uint64_t(s[1]));
}

}  // namespace weir::kernels::WEIR_ISA
