#pragma once

#include <cstdint>

namespace weir::platform {

/// The system calls of the file layer that can be made to fail.
enum class FileCall { any, open, write, sync, rename, make_directory };

/// Makes one system call of the file layer fail, for the whole process: the tests run a save once
/// for every n and check what is left behind. Calls are counted from 1 since the plan was set.
struct FaultPlan {
  FileCall call = FileCall::any;  ///< which calls are counted
  int64_t nth = 0;                ///< the call that fails; 0 = none, only count
  int error = 0;                  ///< its errno; 0 on a write means a short write
  bool sticky = false;            ///< every later call fails as well, as on a full disk
};

void set_fault_plan(const FaultPlan& plan);

/// Ends the plan and returns how many calls it counted.
int64_t clear_fault_plan();

}  // namespace weir::platform
