#include <weir/control_flow.h>
#include <weir/nn.h>
#include <weir/ops/nn.h>

#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

struct Loss {
  Tensor value;   // of each element of the target
  Tensor weight;  // undefined: 1
};

// -log_prob[n, target, d...] for each element of the target [n, d...], and its weight.
Loss element_losses(NodeContext& c,
                    const Tensor& log_prob,
                    const Tensor& target,
                    const Tensor& weights) {
  const std::int64_t rank = log_prob.rank(), classes = known_dim(c, log_prob, 1);
  if (target.rank() != rank - 1) c.damaged("a target of the wrong rank");
  Tensor place = cast(target, DType::int64), kept;
  if (c.has_attr("ignore_index")) {
    kept = not_equal(place, Tensor(c.i("ignore_index")));
    place = where(kept, place, zeros_like(place));
  }
  const Tensor rows =
      reshape(transpose(log_prob, moved_axis(rank, 1, rank - 1)), List{-1, classes});
  const Tensor chosen = gather(rows, reshape(place, List{-1, 1}), 1, 1);
  Loss loss{-reshape(chosen, dims_of(target)), {}};
  if (weights.defined()) loss.weight = gather(weights, place);
  if (kept.defined()) {
    const Tensor one = loss.weight.defined() ? loss.weight : ones_like(loss.value);
    loss.weight = where(kept, one, zeros_like(one));
  }
  if (loss.weight.defined()) loss.value = loss.value * loss.weight;
  return loss;
}

Tensor combined(NodeContext& c, const Loss& loss) {
  const std::string reduction = c.s("reduction", "mean");
  if (reduction == "none") return loss.value;
  if (reduction == "sum") return sum(loss.value);
  if (reduction != "mean") c.damaged("the attribute 'reduction'");
  if (!loss.weight.defined()) return mean(loss.value);
  return sum(loss.value) / sum(loss.weight);
}

Tensor weights_of(NodeContext& c) {
  return c.has(2) ? c.in(2) : Tensor();
}

Values convert_nll(NodeContext& c) {
  return {combined(c, element_losses(c, c.in(0), c.in(1), weights_of(c)))};
}

Values convert_cross_entropy(NodeContext& c) {
  if (c.rank(0) < 2) c.damaged("scores without classes");
  const Tensor log_prob = log_softmax(c.in(0), 1);
  return {combined(c, element_losses(c, log_prob, c.in(1), weights_of(c))), log_prob};
}

// -- boxes --

// Corners {y1, x1, y2, x2} in order, each [..., n].
std::vector<Tensor> corners(const Tensor& boxes, bool centred) {
  std::vector<Tensor> v = unpack(boxes, 4, -1);
  if (centred) {
    const Tensor half_w = v[2] / 2.0, half_h = v[3] / 2.0;
    return {v[1] - half_h, v[0] - half_w, v[1] + half_h, v[0] + half_w};
  }
  return {minimum(v[0], v[2]), minimum(v[1], v[3]), maximum(v[0], v[2]), maximum(v[1], v[3])};
}

Tensor pairwise(const Tensor& v, Tensor (*f)(Operand, Operand)) {
  return f(expand_dims(v, -1), expand_dims(v, -2));
}

// Intersection over union of all pairs of boxes: [batch, n, n].
Tensor overlaps(const Tensor& boxes, bool centred) {
  const std::vector<Tensor> v = corners(boxes, centred);
  const Tensor height = maximum(pairwise(v[2], minimum) - pairwise(v[0], maximum), 0);
  const Tensor width = maximum(pairwise(v[3], minimum) - pairwise(v[1], maximum), 0);
  const Tensor both = height * width;
  const Tensor area = (v[2] - v[0]) * (v[3] - v[1]);
  return divide_no_nan(both, pairwise(area, add) - both);
}

constexpr std::int64_t kMaxBoxes = 4096;

Values convert_nms(NodeContext& c) {
  const Tensor &boxes = c.in(0), &scores = c.in(1);
  const List dims = known_dims(c, scores);
  if (dims.size() != 3 || c.rank(0) != 3) c.damaged("boxes or scores of the wrong rank");
  const std::int64_t batch = dims[0], classes = dims[1], n = dims[2];
  if (n > kMaxBoxes) c.unsupported("more than 4,096 boxes");
  const Tensor most = c.has(2) ? cast(as_scalar(c.in(2)), DType::int64) : Tensor(std::int64_t{0});
  const Tensor limit = c.has(3) ? as_scalar(c.in(3)) : Tensor(0.f);
  const TopKResult sorted = top_k(scores, n);
  const Tensor iou = overlaps(boxes, c.i("center_point_box", 0) != 0);
  const Tensor wide = reshape(broadcast_to(expand_dims(iou, 1), List{batch, classes, n, n}),
                              List{batch * classes, n, n});
  const Tensor order = cast(reshape(sorted.indices, List{batch * classes, n}), DType::int64);
  // Rows and columns in the order of the scores.
  const Tensor ranked = gather(gather(wide, order, 1, 1), order, 2, 1);
  const Tensor clash = greater(ranked, limit);
  Tensor alive = fill(List{batch * classes, n}, Tensor(true));
  if (c.has(4)) {
    alive = greater(reshape(sorted.values, List{batch * classes, n}), as_scalar(c.in(4)));
  }
  // Box i, if it is still there, removes those behind it that it overlaps.
  const Tensor place = Tensor::from(iota(n), Shape{1, Dim(n)});
  const auto turn = [&](const Tensor& i, const Tensor& kept) {
    const Tensor row = gather(clash, i, 1);
    const Tensor own = expand_dims(gather(kept, i, 1), 1);
    const Tensor removed = logical_and(logical_and(row, own), place > i);
    return logical_and(kept, logical_not(removed));
  };
  alive = for_range(0, n, turn, alive);
  const Tensor number = cumsum(cast(alive, DType::int64), 1);
  const Tensor chosen = where(logical_and(alive, number <= most));  // [k, 2]
  const Tensor pair = gather(chosen, Tensor(std::int64_t{0}), 1);
  const Tensor class_count = Tensor(std::max<std::int64_t>(classes, 1));
  return {stack(
      {floor_divide(pair, class_count), floormod(pair, class_count), gather_nd(order, chosen)}, 1)};
}

constexpr Converter kConverters[] = {
    {"NegativeLogLikelihoodLoss", convert_nll},
    {"NonMaxSuppression", convert_nms},
    {"SoftmaxCrossEntropyLoss", convert_cross_entropy},
};

}  // namespace

std::span<const Converter> loss_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
