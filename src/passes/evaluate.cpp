#include "passes/evaluate.h"

#include "dispatch/call.h"
#include "dispatch/handler.h"

namespace weir::passes {

std::vector<Tensor> evaluate(const Node& node, std::span<const Tensor> inputs) {
  dispatch::HandlerScope scope(dispatch::default_handler());
  dispatch::PauseRecording pause;
  base::SmallVector<Operand, 6> operands;
  for (const Tensor& t : inputs)
    operands.emplace_back(t, node.where);
  std::vector<Tensor> results(node.outputs.size());
  dispatch::call(*node.op, operands, node.attrs.view(), results);
  return results;
}

std::int64_t output_bytes(const Node& node) {
  double bytes = 0;
  for (const Spec& s : node.outputs) {
    if (!s.shape.is_static() || s.dtype == DType::string) return -1;
    double size = double(byte_size(s.dtype));
    for (Dim d : s.shape.dims())
      size *= double(d.value());
    bytes += size;
  }
  return bytes > 9e18 ? INT64_MAX : std::int64_t(bytes);
}

}  // namespace weir::passes
