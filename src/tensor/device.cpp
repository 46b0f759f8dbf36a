#include <weir/device.h>

#include "platform/cpu_features.h"
#include "platform/gpu_probe.h"
#include "platform/thread_pool.h"

namespace weir::inline v0 {

std::vector<PhysicalDevice> list_physical_devices(const std::string& type) {
  std::vector<PhysicalDevice> list;
  if (type.empty() || type == "CPU") {
    std::string text =
        std::string(platform::cpu_name()) + ", " + platform::isa_name(platform::isa());
    if (*platform::cpu_extras()) text += std::string(" ") + platform::cpu_extras();
    list.push_back(
        {"CPU:0", "CPU", text + ", " + std::to_string(platform::threads()) + " threads", true, {}});
  }
  if (type.empty() || type == "GPU") {
    int n = 0;
    for (const platform::GpuInfo& g : platform::probe_gpus())
      list.push_back({"GPU:" + std::to_string(n++), "GPU", g.name, g.available, g.reason});
  }
  return list;
}

void set_num_threads(int n) {
  platform::set_threads(n);
}
int num_threads() {
  return platform::threads();
}

}  // namespace weir::inline v0
