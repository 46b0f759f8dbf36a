#include <weir/callable.h>
#include <weir/error.h>

namespace weir::inline v0::detail {

void throw_empty_callable() {
  throw Error({Code::failed_precondition,
               "call of an empty Callable",
               {},
               "no function",
               "a function",
               "give it one, or ask `if (callable)` first"});
}

}  // namespace weir::inline v0::detail
