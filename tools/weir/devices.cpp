#include <weir/device.h>

#include <cstdio>

#include "platform/cpu_features.h"
#include "verb.h"

namespace weir::cli {
namespace {

void devices() {
  for (const PhysicalDevice& d : list_physical_devices()) {
    std::printf("%-6s %s\n", d.name.c_str(), d.description.c_str());
    if (!d.available)
      std::printf("       skipped: %s\n", d.reason.c_str());
    else if (d.type != "CPU")
      std::printf("       usable, but not used yet: there are no kernels for it\n");
  }
  if (*platform::isa_note()) std::printf("note: %s\n", platform::isa_note());
}

}  // namespace

void add_devices(CLI::App& app) {
  app.add_subcommand("devices", "Devices of this machine, and why one is skipped")
      ->callback(devices);
}

}  // namespace weir::cli
