#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::platform {

/// The system calls of the file layer that can be made to fail. `any` is all but remove, which a
/// full or broken disk still does.
enum class FileCall { any, open, write, sync, rename, make_directory, remove };

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

/// One call that changed something and succeeded, for tests that replay what a power loss leaves.
struct CallRecord {
  FileCall call = FileCall::any;
  int fd = -1;       // of open, write, sync
  std::string path;  // of open, rename (the old name), remove
  std::string text;  // the bytes of a write, the new name of a rename
};

void start_recording();
std::vector<CallRecord> stop_recording();

}  // namespace weir::platform
