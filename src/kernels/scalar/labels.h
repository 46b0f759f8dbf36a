#pragma once

/// The check of class labels, which every cross entropy kernel makes before it writes.

#include "runtime/kernel_util.h"

namespace weir::kernels::WEIR_ISA {

template <class Label>
Status check_labels(const rt::KernelCall& c,
                    const Label* labels,
                    std::int64_t count,
                    std::int64_t classes) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (labels[i] >= 0 && labels[i] < classes) continue;
    rt::Message(c) << "label out of range: labels[" << i << "] = " << std::int64_t(labels[i])
                   << ", not in [0, " << classes << ")";
    return rt::invalid("label out of range");
  }
  return {};
}

}  // namespace weir::kernels::WEIR_ISA
