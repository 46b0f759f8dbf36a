#include <weir/version.h>

namespace weir {

const char* version() {
  return WEIR_VERSION;
}

}  // namespace weir
