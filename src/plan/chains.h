#pragma once

/// Which steps may run side by side: branches whose steps are too small to use several threads
/// each.

#include "plan/stage.h"

namespace weir::plan {

/// Sets PlannedStep::chain where running chains of steps beside each other pays for handing them
/// out. Blocks are as `lower` made them, updates of variables excepted: each has one writer.
void find_chains(StagePlan& plan);

}  // namespace weir::plan
