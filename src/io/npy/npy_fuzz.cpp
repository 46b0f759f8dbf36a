#include <weir/error.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "io/npy/npy.h"
#include "io/npy/npz.h"

// Any bytes give a tensor or a weir::Error, and a tensor that was read is written and read again
// with the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  try {
    const std::string written = weir::io::format_npy(weir::io::parse_npy(file, "fuzz"));
    if (weir::io::format_npy(weir::io::parse_npy(written, "again")) != written) std::abort();
  } catch (const weir::Error&) {
  }
  try {
    weir::io::parse_npz(file, "fuzz");
  } catch (const weir::Error&) {
  }
  return 0;
}
