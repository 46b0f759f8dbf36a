#include "ops/nn/conv_attrs.h"

#include <algorithm>

namespace weir::ops {
namespace infer {

Shape target_shape(InferContext& c) {
  const auto dims = c.ints(0);
  if (!dims) return Shape{Dim::unknown(), Dim::unknown(), Dim::unknown(), Dim::unknown()};
  const bool valid =
      dims->size() == 4 && std::all_of(dims->begin(), dims->end(), [](auto d) { return d >= 0; });
  if (!valid) c.fail("the target shape must be four lengths", Shape(*dims).to_string());
  return Shape(*dims);
}

}  // namespace infer

namespace {

std::vector<std::int64_t> list(const rt::Attr& a) {
  return {a.ints, a.ints + a.count};
}

}  // namespace

ConvAttrs::ConvAttrs(const GradientContext& g, int first)
    : strides(list(g.attr(first))),
      paddings(list(g.attr(first + 2))),
      dilations(list(g.attr(first + 4))),
      padding(g.attr(first + 1).s, g.attr(first + 1).count) {}

}  // namespace weir::ops
