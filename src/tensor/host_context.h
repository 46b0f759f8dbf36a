#pragma once

/// What this host offers to kernels: the process's thread pool.

#include <weir/kernel.h>

namespace weir::tensor {

const rt::RunContext& host_context();

}  // namespace weir::tensor
