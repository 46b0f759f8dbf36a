#pragma once

/// The error of an index out of range, which names position, value and bound: "indices[0,0] = 7 is
/// not in [0, 2)".

#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {

/// Element `flat` of `indices` (or row `flat` of its leading `axes` axes) has the value `value`.
inline Status index_error(const rt::KernelCall& c,
                          const char* name,
                          const rt::View& indices,
                          int axes,
                          std::int64_t flat,
                          std::int64_t value,
                          std::int64_t bound) {
  rt::Message text(c);
  text << name;
  std::int64_t step = 1;
  for (int i = 0; i < axes; ++i)
    step *= indices.dims[i];
  for (int i = 0; i < axes; ++i) {
    step /= indices.dims[i];
    text << (i ? "," : "[") << flat / step % indices.dims[i];
  }
  text << (axes > 0 ? "] = " : " = ") << value << " is not in [0, " << bound << ")";
  return rt::invalid("index out of range");
}

inline std::int64_t load_index(const rt::View& v, std::int64_t i) {
  return v.dtype == DType::int64 ? v.as<std::int64_t>()[i] : v.as<std::int32_t>()[i];
}

}  // namespace weir::kernels::WEIR_ISA
