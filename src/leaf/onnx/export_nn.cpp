#include <weir/function.h>
#include <weir/ops/array.h>
#include <weir/ops/math.h>

#include <algorithm>
#include <map>

#include "leaf/onnx/export.h"

namespace weir::onnx_io {
namespace {

// -- products --

// The last two axes exchanged.
std::string swapped(OpExport& e, std::size_t i) {
  const std::int64_t rank = e.rank(i);
  Ints64 perm;
  for (std::int64_t axis = 0; axis < rank; ++axis)
    perm.push_back(axis);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return e.w.emit("Transpose", {e.in(i)}, {{"perm", perm}});
}

ValueNames write_product(OpExport& e, bool transpose_a, bool transpose_b) {
  if ((transpose_a || transpose_b) && e.rank(0) == 2 && e.rank(1) == 2) {
    return {
        e.w.emit("Gemm",
                 e.all(),
                 {{"transA", std::int64_t(transpose_a)}, {"transB", std::int64_t(transpose_b)}})};
  }
  return {e.w.emit("MatMul",
                   {transpose_a ? swapped(e, 0) : e.in(0), transpose_b ? swapped(e, 1) : e.in(1)})};
}

ValueNames write_matmul(OpExport& e) {
  return write_product(e, e.flag("transpose_a"), e.flag("transpose_b"));
}
ValueNames write_batch_matmul(OpExport& e) {
  return write_product(e, e.flag("adj_x"), e.flag("adj_y"));
}

// -- convolutions and pooling --

// A filter with its axes in another order: at once where it is a constant.
std::string reordered(OpExport& e, std::size_t i, const Ints64& perm) {
  if (const Tensor* value = e.w.constant_value(e.in(i))) {
    const InitScope now;
    return e.w.constant(transpose(*value, perm), "filter");
  }
  return e.w.emit("Transpose", {e.in(i)}, {{"perm", perm}});
}

Ints64 middle(const Ints64& four) {
  return {four.at(1), four.at(2)};
}

void add_padding(OpExport& e, const std::string& padding, NamedAttrs* attrs) {
  if (padding == "SAME") {
    attrs->push_back({"auto_pad", std::string("SAME_UPPER")});
  } else if (padding == "EXPLICIT") {
    const Ints64 rows = e.list("explicit_paddings");
    attrs->push_back({"pads", Ints64{rows.at(2), rows.at(4), rows.at(3), rows.at(5)}});
  }
}

NamedAttrs conv_attrs(OpExport& e, std::int64_t groups) {
  NamedAttrs attrs = {{"strides", middle(e.list("strides"))},
                      {"dilations", middle(e.list("dilations"))},
                      {"group", groups}};
  add_padding(e, e.s("padding"), &attrs);
  return attrs;
}

std::int64_t known(OpExport& e, std::size_t i, int axis) {
  const Shape& shape = e.spec(i).shape;
  if (!shape.has_rank() || !shape[axis].known()) e.unsupported("a number of channels not known");
  return shape[axis].value();
}

ValueNames write_conv(OpExport& e) {
  const std::int64_t groups = known(e, 0, 3) / std::max<std::int64_t>(known(e, 1, 2), 1);
  const std::string filter = reordered(e, 1, {3, 2, 0, 1});
  const std::string y =
      e.w.emit("Conv", {e.w.channels_first(e.in(0)), filter}, conv_attrs(e, groups));
  return {e.w.channels_last(y)};
}

ValueNames write_depthwise(OpExport& e) {
  // [h, w, c, m] -> [c * m, 1, h, w]
  const std::int64_t channels = known(e, 1, 2), each = known(e, 1, 3);
  std::string filter = reordered(e, 1, {2, 3, 0, 1});
  const Ints64 dims = {channels * each, 1, known(e, 1, 0), known(e, 1, 1)};
  if (const Tensor* value = e.w.constant_value(filter)) {
    const InitScope now;
    filter = e.w.constant(reshape(*value, dims), "filter");
  } else {
    filter = e.w.emit("Reshape", {filter, e.w.ints(dims)});
  }
  const std::string y =
      e.w.emit("Conv", {e.w.channels_first(e.in(0)), filter}, conv_attrs(e, channels));
  return {e.w.channels_last(y)};
}

// Cells beyond the windows, which ONNX counts as padding of the output.
ValueNames write_conv_transpose(OpExport& e) {
  const Ints64 sizes = e.list("input_sizes"), strides = middle(e.list("strides"));
  const Ints64 dilations = middle(e.list("dilations"));
  const std::int64_t groups = sizes.at(3) / std::max<std::int64_t>(known(e, 0, 2), 1);
  Ints64 begin(2), end(2), extra(2);
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t extent = (known(e, 0, i) - 1) * dilations[at] + 1;
    const std::int64_t full = (known(e, 1, i + 1) - 1) * strides[at] + extent;
    const std::int64_t size = sizes[at + 1];
    std::int64_t cut = 0;
    if (e.s("padding") == "EXPLICIT") {
      begin[at] = e.list("explicit_paddings").at(2 * at + 2);
      end[at] = e.list("explicit_paddings").at(2 * at + 3);
    } else if (e.s("padding") == "SAME") {
      cut = std::max<std::int64_t>((known(e, 1, i + 1) - 1) * strides[at] + extent - size, 0);
      begin[at] = cut / 2;
      end[at] = cut - cut / 2;
    }
    extra[at] = size - (full - begin[at] - end[at]);
    if (extra[at] < 0) e.unsupported("a size that its windows do not give");
  }
  const std::string y = e.w.emit("ConvTranspose",
                                 {e.w.channels_first(e.in(1)), reordered(e, 0, {3, 2, 0, 1})},
                                 {{"strides", strides},
                                  {"dilations", dilations},
                                  {"group", groups},
                                  {"pads", Ints64{begin[0], begin[1], end[0], end[1]}},
                                  {"output_padding", extra}});
  return {e.w.channels_last(y)};
}

ValueNames write_pool(OpExport& e) {
  NamedAttrs attrs = {{"kernel_shape", middle(e.list("ksize"))},
                      {"strides", middle(e.list("strides"))}};
  add_padding(e, e.s("padding"), &attrs);
  const char* op = e.op() == "MaxPool" ? "MaxPool" : "AveragePool";
  return {e.w.channels_last(e.w.emit(op, {e.w.channels_first(e.in(0))}, attrs))};
}

// -- normalisation --

ValueNames write_batch_norm(OpExport& e) {
  if (e.flag("is_training")) e.unsupported("batch normalisation in training");
  const std::string y = e.w.emit("BatchNormalization",
                                 {e.w.channels_first(e.in(0)), e.in(1), e.in(2), e.in(3), e.in(4)},
                                 {{"epsilon", float(e.f("epsilon"))}});
  ValueNames results = {e.w.channels_last(y)};
  // In inference the statistics are those that came in.
  for (std::size_t i = 1; i < e.outputs(); ++i)
    results.push_back(e.in(i % 2 == 1 ? 3 : 4));
  return results;
}

ValueNames write_softmax(OpExport& e) {
  return {e.w.emit(e.op().c_str(), {e.in(0)}, {{"axis", std::int64_t{-1}}})};
}

ValueNames write_l2_loss(OpExport& e) {
  const std::string squares = e.w.emit("Mul", {e.in(0), e.in(0)});
  const std::string total = e.w.emit("ReduceSum", {squares}, {{"keepdims", std::int64_t{0}}});
  return {e.w.emit("Mul", {total, e.w.number(0.5, e.dtype())})};
}

ValueNames write_determinant(OpExport& e) {
  return {e.w.emit("Det", {e.in(0)})};
}

constexpr Exporter kExporters[] = {
    {"AvgPool", write_pool},
    {"BatchMatMulV2", write_batch_matmul},
    {"Conv2D", write_conv},
    {"Conv2DBackpropInput", write_conv_transpose},
    {"DepthwiseConv2dNative", write_depthwise},
    {"FusedBatchNormV3", write_batch_norm},
    {"L2Loss", write_l2_loss},
    {"LogSoftmax", write_softmax},
    {"MatMul", write_matmul},
    {"MatrixDeterminant", write_determinant},
    {"MaxPool", write_pool},
    {"Softmax", write_softmax},
};

std::map<std::string_view, const Exporter*> make_table() {
  std::map<std::string_view, const Exporter*> table;
  for (const auto family : {elementwise_exporters(), array_exporters(), nn_exporters()}) {
    for (const Exporter& e : family)
      table[e.op] = &e;
  }
  return table;
}

}  // namespace

std::span<const Exporter> nn_exporters() {
  return kExporters;
}

const Exporter* find_exporter(std::string_view op) {
  static const auto table = make_table();
  const auto found = table.find(op);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace weir::onnx_io
