#include <algorithm>

#include "plan/executable.h"

namespace weir::plan {
namespace {

std::string padded(std::string s, std::size_t width) {
  s.resize(std::max(s.size() + 2, width), ' ');
  return s;
}

std::string describe(const StageInfo& s, std::size_t index) {
  std::string text = "stage " + std::to_string(index) + ": ";
  if (s.host || s.control) {
    text += s.host ? "host," : "control flow,";
    for (const std::string& n : s.nodes)
      text += " " + n;
    return text + "\n";
  }
  return text + std::to_string(s.steps) + " steps, arena " + std::to_string(s.arena_bytes) +
         " bytes, constants " + std::to_string(s.constant_bytes) + ", packed " +
         std::to_string(s.packed_bytes) + "\n";
}

std::string describe(const StepInfo& s, std::size_t index) {
  std::string text = padded("  " + std::to_string(index), 7) + padded(s.op, 14) +
                     padded(s.node, 28) + padded(s.kernel, 30) + s.result;
  if (s.tile_ops > 0) text += "  " + std::to_string(s.tile_ops) + " tiles";
  if (s.chain > 0) text += "  chain " + std::to_string(s.chain);
  if (s.packed) text += "  packed";
  if (s.workspace > 0) text += "  workspace " + std::to_string(s.workspace);
  return text + "\n";
}

}  // namespace

std::string Executable::describe() const {
  std::string text = "'" + graph().name() + "': " + std::to_string(kernels_per_call()) +
                     " kernels, peak " + std::to_string(peak_bytes()) + " bytes\n";
  const std::vector<StepInfo> all = steps();
  const std::vector<StageInfo> list = stages();
  std::size_t step = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    text += plan::describe(list[i], i);
    for (; step < all.size() && all[step].stage == int(i); ++step) {
      if (!list[i].host && !list[i].control) text += plan::describe(all[step], step);
    }
  }
  return text;
}

}  // namespace weir::plan
