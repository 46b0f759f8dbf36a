#pragma once

#include <vector>

#include "plan/aligned_bytes.h"
#include "plan/stage.h"

namespace weir::plan {

/// The program of a laid-out stage, and what its slots are: inputs first, in order, then these.
struct StageProgram {
  struct BlockSlot {
    std::uint32_t slot = 0;
    int block = 0;
  };
  struct PackSlot {
    std::uint32_t slot = 0;
    int step = 0;
    int block = 0;  // that the packed operand lies in: a constant or a variable
    std::int64_t bytes = 0;
  };
  AlignedBytes blob;
  std::vector<BlockSlot> outputs;    // allocated for each run
  std::vector<BlockSlot> constants;  // too large to be copied into the program
  std::vector<BlockSlot> variables;
  std::vector<BlockSlot> updates;
  std::vector<PackSlot> packs;
};

/// Constants of at most `embed_limit` bytes become part of the program.
StageProgram write_stage(const graph::Graph& graph,
                         const StagePlan& plan,
                         std::int64_t embed_limit);

}  // namespace weir::plan
