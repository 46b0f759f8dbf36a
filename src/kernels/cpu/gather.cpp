// Rows picked by index, in parallel.

#include "kernels/scalar/gather.h"

#include "kernels/scalar/any_kernel.h"

namespace weir::kernels::WEIR_ISA {
namespace {

Status gather(const rt::KernelCall& c) {
  const GatherShape g(c);
  if (Status s = check_indices(c, g.length); !s.ok()) return s;
  const std::int64_t rows = g.batch * g.outer * g.count;
  const std::int64_t grain = (128 << 10) / (g.inner + 16) + 1;
  rt::parallel_ranges(
      c, rows, grain, [&](std::int64_t begin, std::int64_t end) { gather_rows(c, g, begin, end); });
  return {};
}

}  // namespace

rt::KernelTable gather_kernels() {
  static const auto table = std::array{any_kernel<"GatherV2">(gather)};
  return {table.data(), table.size()};
}

}  // namespace weir::kernels::WEIR_ISA
