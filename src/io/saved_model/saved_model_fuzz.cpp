#include <weir/error.h>

#include <cstddef>
#include <cstdint>

#include "io/saved_model/load.h"

// Any bytes give a model or a weir::Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    weir::io::parse_saved_model({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const weir::Error&) {
  }
  return 0;
}
