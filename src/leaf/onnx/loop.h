#pragma once

#include <functional>

#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {

/// What one turn of a loop gives.
struct Turn {
  Tensor condition;  // undefined: go on
  std::vector<Tensor> carried;
  std::vector<Tensor> emitted;  // one element of each result that is stacked
};
using TurnBody = std::function<Turn(
    const Tensor& number, const Tensor& condition, const std::vector<Tensor>& carried)>;

struct LoopResult {
  std::vector<Tensor> carried;
  std::vector<Tensor> emitted;  // stacked along axis 0
};

/// Turns number 0, 1 ... while the number is below `limit` (int64 scalar; undefined: no bound) and
/// the condition (bool scalar; undefined: true) holds. Short loops of known length are unrolled.
LoopResult run_loop(const NodeContext& c,
                    const Tensor& limit,
                    const Tensor& condition,
                    const std::vector<Tensor>& carried,
                    const TurnBody& body);

}  // namespace weir::onnx_io
