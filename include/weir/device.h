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

/// Threads that ops and programs use, the caller's among them; 1 starts none, and what ran stops.
/// n is clamped to [1, 256]; unset: WEIR_NUM_THREADS, else the processors that the process may use.
/// Results are the same bits for any number.
void set_num_threads(int n);
int num_threads();

}  // namespace weir::inline v0
