#include <weir/error.h>

#include <cstddef>
#include <cstdint>

#include "leaf/onnx/load.h"

// Any bytes give a model or a weir::Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    weir::onnx_io::parse_model({reinterpret_cast<const char*>(data), size}, {}, "fuzz");
  } catch (const weir::Error&) {
  }
  return 0;
}
