#include "dispatch/autocast.h"

namespace weir::dispatch {

Autocast& autocast() {
  constinit thread_local Autocast mine;
  return mine;
}

}  // namespace weir::dispatch
