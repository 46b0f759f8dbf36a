#pragma once

#include <string>
#include <vector>

namespace weir::platform {

/// One GPU as its driver describes it.
struct GpuInfo {
  std::string name;
  bool available = false;
  std::string reason;  // if it is not available
};

/// What the NVIDIA driver says of its GPUs. The driver is loaded for the question only, so that a
/// program that uses no GPU pays nothing. No driver: no GPUs. A driver that fails: one entry with
/// the reason. WEIR_CUDA_LIBRARY names another library to load.
std::vector<GpuInfo> probe_gpus();

}  // namespace weir::platform
