/// The devices of this machine. A GPU that cannot be used is listed with the reason and skipped: it
/// never ends the program, and work goes on on the CPU.
#pragma once

#include <string>
#include <vector>

namespace weir::inline v0 {

struct PhysicalDevice {
  std::string name;         // "CPU:0", "GPU:0"
  std::string type;         // "CPU", "GPU"
  std::string description;  // "AMD EPYC 7763, avx2, 2 threads"
  bool available = true;
  std::string reason;  // why it is not available: "busy or unavailable (CUDA error 46)"
};

/// All devices, the CPU first. `type`: only those of "CPU" or "GPU"; empty: all. Never throws for
/// the sake of a device.
std::vector<PhysicalDevice> list_physical_devices(const std::string& type = {});

}  // namespace weir::inline v0
