#include <weir/nn.h>
#include <weir/ops/nn.h>

#include <limits>

#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

// What a reduction is over: axes from an attribute or, later, an operand.
struct Reduction {
  Ints axes;  // absent: all
  List list;
  bool keepdims = true;
  bool none = false;  // no axes at all, and that means no reduction
};

Reduction reduction_of(NodeContext& c) {
  Reduction r;
  r.keepdims = c.flag("keepdims", true);
  if (c.has_attr("axes")) {
    r.list = c.ints("axes");
  } else if (c.has(1)) {
    r.list = c.constant_ints(1);
  }
  if (r.list.empty()) {
    r.none = c.flag("noop_with_empty_axes");
  } else {
    r.list = check_axes(c, r.list, c.rank(0));
    r.axes = Ints(r.list);
  }
  return r;
}

using Reduce = Tensor (*)(Operand, const Ints&, bool);

template <Reduce F>
Tensor reduced(const Tensor& x, const Reduction& r) {
  return r.none ? identity(x) : F(x, r.axes, r.keepdims);
}

template <Reduce F>
Values convert_reduce(NodeContext& c) {
  return {reduced<F>(c.in(0), reduction_of(c))};
}

// Of bools: all and any.
template <Reduce F, Reduce Logical>
Values convert_extremum(NodeContext& c) {
  const Tensor& x = c.in(0);
  const Reduction r = reduction_of(c);
  return {x.dtype() == DType::boolean ? reduced<Logical>(x, r) : reduced<F>(x, r)};
}

Values convert_l1(NodeContext& c) {
  const Tensor& x = c.in(0);
  const Tensor a = is_unsigned_integer(x.dtype()) ? x : abs(x);
  return {reduced<sum>(a, reduction_of(c))};
}

Values convert_l2(NodeContext& c) {
  const Tensor& x = c.in(0);
  const Tensor total = reduced<sum>(square(x), reduction_of(c));
  if (is_floating(x.dtype())) return {sqrt(total)};
  return {cast(sqrt(cast(total, DType::float64)), x.dtype())};
}

Values convert_sum_square(NodeContext& c) {
  return {reduced<sum>(square(c.in(0)), reduction_of(c))};
}

Values convert_log_sum(NodeContext& c) {
  return {log(reduced<sum>(c.in(0), reduction_of(c)))};
}

Values convert_log_sum_exp(NodeContext& c) {
  const Reduction r = reduction_of(c);
  if (r.none) return {identity(c.in(0))};
  return {logsumexp(c.in(0), r.axes, r.keepdims)};
}

// -- the place of an extremum --

template <Tensor (*F)(Operand, const Ints&, DType)>
Values convert_arg(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t axis = check_axis(c, c.i("axis", 0), c.rank(0));
  Tensor place;
  if (c.flag("select_last_index")) {
    const std::int64_t n = known_dim(c, x, axis);
    place = Tensor(n - 1) - F(reverse(x, axis), axis, DType::int64);
  } else {
    place = F(x, axis, DType::int64);
  }
  return {c.flag("keepdims", true) ? expand_dims(place, axis) : place};
}

// -- running sums --

template <Tensor (*F)(Operand, const Ints&, bool, bool)>
Values convert_scan(NodeContext& c) {
  const std::int64_t axis = c.constant_ints(1).at(0);
  return {F(c.in(0), check_axis(c, axis, c.rank(0)), c.flag("exclusive"), c.flag("reverse"))};
}

// -- softmax and its kin --

// Before operator set 13 all axes from `axis` on are one.
template <Tensor (*F)(Operand, std::int64_t)>
Values convert_softmax(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t rank = c.rank(0);
  const bool old = c.opset() < 13;
  const std::int64_t axis = check_axis(c, c.i("axis", old ? 1 : -1), rank);
  if (!old || axis == rank - 1) return {F(x, axis)};
  const List dims = known_dims(c, x);
  std::int64_t rows = 1;
  for (std::int64_t i = 0; i < axis; ++i)
    rows *= dims[static_cast<std::size_t>(i)];
  return {reshape(F(reshape(x, List{rows, -1}), 1), dims)};
}

Tensor hardmax(Operand operand, std::int64_t axis) {
  const Tensor x = operand.to_tensor();
  const Tensor place = argmax(x, axis, DType::int64);
  return one_hot(place,
                 Ints(x.dim(static_cast<int>(axis))),
                 cast(Tensor(1.f), x.dtype()),
                 cast(Tensor(0.f), x.dtype()),
                 axis);
}

Tensor checked_softmax(Operand x, std::int64_t axis) {
  return softmax(x, axis);
}
Tensor checked_log_softmax(Operand x, std::int64_t axis) {
  return log_softmax(x, axis);
}

constexpr Converter kConverters[] = {
    {"ArgMax", convert_arg<argmax>},
    {"ArgMin", convert_arg<argmin>},
    {"CumProd", convert_scan<cumprod>},
    {"CumSum", convert_scan<cumsum>},
    {"Hardmax", convert_softmax<hardmax>},
    {"LogSoftmax", convert_softmax<checked_log_softmax>},
    {"ReduceL1", convert_l1},
    {"ReduceL2", convert_l2},
    {"ReduceLogSum", convert_log_sum},
    {"ReduceLogSumExp", convert_log_sum_exp},
    {"ReduceMax", convert_extremum<max, any>},
    {"ReduceMean", convert_reduce<mean>},
    {"ReduceMin", convert_extremum<min, all>},
    {"ReduceProd", convert_reduce<prod>},
    {"ReduceSum", convert_reduce<sum>},
    {"ReduceSumSquare", convert_sum_square},
    {"Softmax", convert_softmax<checked_softmax>},
};

}  // namespace

std::span<const Converter> reduce_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
