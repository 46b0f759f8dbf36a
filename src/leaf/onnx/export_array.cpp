#include <algorithm>
#include <numeric>

#include "leaf/onnx/export.h"

namespace weir::onnx_io {
namespace {

constexpr std::int64_t kInt64 = static_cast<std::int64_t>(ElemType::int64);
constexpr std::int64_t kOpenEnd = INT64_MAX;

std::string as_type(OpExport& e, const std::string& value, DType from, DType to) {
  if (from == to) return value;
  return e.w.emit("Cast", {value}, {{"to", std::int64_t(elem_type(to))}});
}

// -- shape --

ValueNames write_reshape(OpExport& e) {
  return {e.w.emit("Reshape", {e.in(0), e.operand("shape")}, {{"allowzero", std::int64_t{1}}})};
}

ValueNames write_transpose(OpExport& e) {
  if (!e.has("perm")) return {e.w.emit("Transpose", {e.in(0)})};
  const Ints64 perm = e.list("perm");
  if (perm.empty()) return {e.w.emit("Transpose", {e.in(0)})};
  if (perm == Ints64{0, 3, 1, 2}) return {e.w.channels_first(e.in(0))};
  if (perm == Ints64{0, 2, 3, 1}) return {e.w.channels_last(e.in(0))};
  return {e.w.emit("Transpose", {e.in(0)}, {{"perm", perm}})};
}

ValueNames write_expand_dims(OpExport& e) {
  return {e.w.emit("Unsqueeze", {e.in(0), e.w.ints(e.list("axis"))})};
}

ValueNames write_squeeze(OpExport& e) {
  const Ints64 axes = e.list("squeeze_dims");
  if (axes.empty()) return {e.w.emit("Squeeze", {e.in(0)})};
  return {e.w.emit("Squeeze", {e.in(0), e.w.ints(axes)})};
}

ValueNames write_concat(OpExport& e) {
  return {e.w.emit("Concat", e.all(), {{"axis", e.list("axis").at(0)}})};
}

ValueNames write_stack(OpExport& e) {
  std::int64_t axis = e.i("axis");
  if (axis < 0) axis += e.rank() + 1;
  ValueNames parts;
  for (const std::string& x : e.all())
    parts.push_back(e.w.emit("Unsqueeze", {x, e.w.ints({axis})}));
  return {e.w.emit("Concat", parts, {{"axis", axis}})};
}

std::int64_t positive_axis(OpExport& e, std::int64_t axis) {
  return axis < 0 ? axis + e.rank() : axis;
}

ValueNames split_into(OpExport& e, std::int64_t axis, const Ints64& sizes) {
  return e.w.emit_many("Split",
                       {e.in(0), e.w.ints(sizes)},
                       {{"axis", axis}},
                       static_cast<std::size_t>(sizes.size()));
}

ValueNames write_split(OpExport& e) {
  const std::int64_t axis = positive_axis(e, e.list("axis").at(0));
  Ints64 sizes;
  for (std::size_t i = 0; i < e.outputs(); ++i) {
    const Dim d = e.out(i).shape[static_cast<int>(axis)];
    if (!d.known()) e.unsupported("parts of unknown length");
    sizes.push_back(d.value());
  }
  return split_into(e, axis, sizes);
}

ValueNames write_unpack(OpExport& e) {
  const std::int64_t axis = positive_axis(e, e.i("axis"));
  ValueNames results;
  for (const std::string& part : split_into(e, axis, Ints64(e.outputs(), 1)))
    results.push_back(e.w.emit("Squeeze", {part, e.w.ints({axis})}));
  return results;
}

ValueNames write_slice(OpExport& e) {
  const std::string begin = e.operand("begin");
  const std::int64_t rank = e.rank();
  Ints64 axes(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  if (e.is_known("begin") && e.is_known("size")) {
    Ints64 first = e.list("begin"), end = e.list("size");
    for (std::size_t i = 0; i < end.size(); ++i)
      end[i] = end[i] < 0 ? kOpenEnd : first[i] + end[i];
    return {e.w.emit("Slice", {e.in(0), e.w.ints(first), e.w.ints(end), e.w.ints(axes)})};
  }
  if (!e.is_known("size")) {
    const std::string end = e.w.emit("Add", {begin, e.operand("size")});
    return {e.w.emit("Slice", {e.in(0), begin, end, e.w.ints(axes)})};
  }
  // -1 takes what is left: added to the beginning it must not be read as an end.
  const Ints64 size = e.list("size");
  if (std::any_of(size.begin(), size.end(), [](auto v) { return v < 0; })) {
    e.unsupported("an open size after a computed beginning");
  }
  const std::string end = e.w.emit("Add", {begin, e.w.ints(size)});
  return {e.w.emit("Slice", {e.in(0), begin, end, e.w.ints(axes)})};
}

bool bit(std::int64_t mask, std::size_t i) {
  return ((mask >> i) & 1) != 0;
}

// The entries of basic indexing as slices of axes, then axes that go and come.
struct Indexing {
  Ints64 begin, end, axes, steps, dropped, added;
};

Indexing read_indexing(OpExport& e) {
  Indexing x;
  const Ints64 begin = e.list("begin"), end = e.list("end"), steps = e.list("strides");
  const std::int64_t added = e.i("new_axis_mask"), gone = e.i("shrink_axis_mask");
  const std::int64_t ellipsis = e.i("ellipsis_mask");
  std::int64_t axis = 0, out = 0, taken = 0;
  for (std::size_t i = 0; i < begin.size(); ++i)
    taken += !bit(added, i) && !bit(ellipsis, i);
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (bit(ellipsis, i)) {
      axis += e.rank() - taken;
      out += e.rank() - taken;
    } else if (bit(added, i)) {
      x.added.push_back(out++);
    } else {
      const bool drop = bit(gone, i), back = steps[i] < 0;
      const bool from_start = bit(e.i("begin_mask"), i) && !drop;
      x.begin.push_back(from_start ? (back ? kOpenEnd : 0) : begin[i]);
      if (drop) {
        x.end.push_back(begin[i] == -1 ? kOpenEnd : begin[i] + 1);
        x.dropped.push_back(axis);
      } else {
        x.end.push_back(bit(e.i("end_mask"), i) ? (back ? INT64_MIN : kOpenEnd) : end[i]);
        ++out;
      }
      x.steps.push_back(drop ? 1 : steps[i]);
      x.axes.push_back(axis++);
    }
  }
  return x;
}

// Bounds that are computed, all axes kept.
ValueNames write_computed_slice(OpExport& e) {
  if (e.i("ellipsis_mask") != 0 || e.i("new_axis_mask") != 0 || e.i("begin_mask") != 0 ||
      e.i("end_mask") != 0 || !e.is_known("strides")) {
    e.unsupported("computed bounds together with open ones");
  }
  const Ints64 steps = e.list("strides");
  Ints64 axes(steps.size()), dropped;
  std::iota(axes.begin(), axes.end(), 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (bit(e.i("shrink_axis_mask"), i)) dropped.push_back(std::int64_t(i));
  }
  const std::string y = e.w.emit(
      "Slice", {e.in(0), e.operand("begin"), e.operand("end"), e.w.ints(axes), e.w.ints(steps)});
  if (dropped.empty()) return {y};
  return {e.w.emit("Squeeze", {y, e.w.ints(dropped)})};
}

ValueNames write_strided_slice(OpExport& e) {
  if (!e.is_known("begin") || !e.is_known("end") || !e.is_known("strides")) {
    return write_computed_slice(e);
  }
  const Indexing x = read_indexing(e);
  std::string y = e.in(0);
  if (!x.axes.empty()) {
    y = e.w.emit("Slice",
                 {y, e.w.ints(x.begin), e.w.ints(x.end), e.w.ints(x.axes), e.w.ints(x.steps)});
  }
  if (!x.dropped.empty()) y = e.w.emit("Squeeze", {y, e.w.ints(x.dropped)});
  if (!x.added.empty()) y = e.w.emit("Unsqueeze", {y, e.w.ints(x.added)});
  return {y == e.in(0) ? e.w.emit("Identity", {y}) : y};
}

// begins, then ends
Ints64 pads_of(const Ints64& rows) {
  Ints64 pads;
  for (std::size_t side = 0; side < 2; ++side) {
    for (std::size_t i = side; i < rows.size(); i += 2)
      pads.push_back(rows[i]);
  }
  return pads;
}

ValueNames write_pad(OpExport& e) {
  const std::string pads = e.w.ints(pads_of(e.list("paddings")));
  if (e.op() == "PadV2") return {e.w.emit("Pad", {e.in(0), pads, e.in(1)})};
  return {e.w.emit("Pad", {e.in(0), pads})};
}

ValueNames write_mirror_pad(OpExport& e) {
  if (e.s("mode") != "REFLECT") e.unsupported("padding that repeats the border");
  const std::string pads = e.w.ints(pads_of(e.list("paddings")));
  return {e.w.emit("Pad", {e.in(0), pads}, {{"mode", std::string("reflect")}})};
}

ValueNames write_tile(OpExport& e) {
  return {e.w.emit("Tile", {e.in(0), e.operand("multiples")})};
}

ValueNames write_broadcast_to(OpExport& e) {
  if (!e.is_known("shape")) return {e.w.emit("Expand", {e.in(0), e.operand("shape")})};
  Ints64 dims = e.list("shape");
  for (std::int64_t& d : dims)
    d = d < 0 ? 1 : d;
  return {e.w.emit("Expand", {e.in(0), e.w.ints(dims)})};
}

ValueNames write_fill(OpExport& e) {
  return {e.w.emit("Expand", {e.in(0), e.operand("dims")})};
}

ValueNames write_shape(OpExport& e) {
  return {as_type(e, e.w.emit("Shape", {e.in(0)}), DType::int64, e.out().dtype)};
}
ValueNames write_size(OpExport& e) {
  return {as_type(e, e.w.emit("Size", {e.in(0)}), DType::int64, e.out().dtype)};
}
ValueNames write_rank(OpExport& e) {
  const std::string n = e.w.emit("Size", {e.w.emit("Shape", {e.in(0)})});
  return {as_type(e, n, DType::int64, e.out().dtype)};
}

ValueNames write_range(OpExport& e) {
  return {e.w.emit("Range", e.all())};
}

ValueNames write_reverse(OpExport& e) {
  const Ints64 axes = e.list("axis");
  const std::size_t n = axes.size();
  if (n == 0) return {e.w.emit("Identity", {e.in(0)})};
  return {e.w.emit("Slice",
                   {e.in(0),
                    e.w.ints(Ints64(n, -1)),
                    e.w.ints(Ints64(n, INT64_MIN)),
                    e.w.ints(axes),
                    e.w.ints(Ints64(n, -1))})};
}

// -- gather and scatter --

ValueNames write_gather(OpExport& e) {
  const std::int64_t batch = e.i("batch_dims"), axis = positive_axis(e, e.list("axis").at(0));
  if (batch == 0) return {e.w.emit("Gather", {e.in(0), e.in(1)}, {{"axis", axis}})};
  if (batch != axis) e.unsupported("batch dimensions before another axis");
  const std::string at =
      e.w.emit("Unsqueeze", {as_type(e, e.in(1), e.dtype(1), DType::int64), e.w.ints({-1})});
  return {e.w.emit("GatherND", {e.in(0), at}, {{"batch_dims", batch}})};
}

ValueNames write_gather_nd(OpExport& e) {
  return {e.w.emit("GatherND", {e.in(0), as_type(e, e.in(1), e.dtype(1), DType::int64)})};
}

ValueNames write_tensor_scatter(OpExport& e) {
  const std::string op = e.op();
  const std::string at = as_type(e, e.in(1), e.dtype(1), DType::int64);
  std::string how = "none", updates = e.in(2);
  if (op == "TensorScatterAdd" || op == "TensorScatterSub") how = "add";
  if (op == "TensorScatterMul") how = "mul";
  if (op == "TensorScatterMax") how = "max";
  if (op == "TensorScatterMin") how = "min";
  if ((how == "max" || how == "min") && e.w.opset() < 18) {
    e.unsupported("it needs operator set 18");
  }
  if (op == "TensorScatterSub") updates = e.w.emit("Neg", {updates});
  return {e.w.emit("ScatterND", {e.in(0), at, updates}, {{"reduction", how}})};
}

ValueNames write_scatter_nd(OpExport& e) {
  const std::string zero = e.w.emit("Expand", {e.w.number(0, e.dtype(1)), e.operand("shape")});
  const std::string at = as_type(e, e.in(0), e.dtype(0), DType::int64);
  return {e.w.emit("ScatterND", {zero, at, e.in(1)}, {{"reduction", std::string("add")}})};
}

ValueNames write_one_hot(OpExport& e) {
  // Indices below 0 wrap in ONNX and are off here.
  const DType t = DType::int64;
  const std::string indices = as_type(e, e.in(0), e.dtype(), t);
  const std::string negative = e.w.emit("Less", {indices, e.w.number(0, t)});
  const std::string depth = e.operand("depth");
  const std::int64_t n = e.list("depth").at(0);
  const std::string at = e.w.emit("Where", {negative, e.w.number(double(n), t), indices});
  const auto vector = [&](const std::string& x) {
    return e.w.emit("Unsqueeze", {x, e.w.ints({0})});
  };
  const std::string values =
      e.w.emit("Concat", {vector(e.in(2)), vector(e.in(1))}, {{"axis", std::int64_t{0}}});
  return {e.w.emit("OneHot", {at, depth, values}, {{"axis", e.i("axis")}})};
}

ValueNames write_where(OpExport& e) {
  return {e.w.emit("Transpose", {e.w.emit("NonZero", {e.in(0)})})};
}

ValueNames write_top_k(OpExport& e) {
  const std::string k = e.w.emit("Reshape", {e.operand("k"), e.w.ints({1})});
  const ValueNames r =
      e.w.emit_many("TopK", {e.in(0), k}, {{"sorted", std::int64_t(e.flag("sorted"))}}, 2);
  return {r[0], as_type(e, r[1], DType::int64, e.out(1).dtype)};
}

ValueNames write_space_to_depth(OpExport& e) {
  const std::string y =
      e.w.emit("SpaceToDepth", {e.w.channels_first(e.in(0))}, {{"blocksize", e.i("block_size")}});
  return {e.w.channels_last(y)};
}
ValueNames write_depth_to_space(OpExport& e) {
  const std::string y =
      e.w.emit("DepthToSpace", {e.w.channels_first(e.in(0))}, {{"blocksize", e.i("block_size")}});
  return {e.w.channels_last(y)};
}

ValueNames write_identity(OpExport& e) {
  return {e.w.emit("Identity", {e.in(0)})};
}

// -- reductions --

struct ReduceOp {
  const char* weir;
  const char* onnx;
};
constexpr ReduceOp kReductions[] = {
    {"Max", "ReduceMax"},
    {"Mean", "ReduceMean"},
    {"Min", "ReduceMin"},
    {"Prod", "ReduceProd"},
    {"Sum", "ReduceSum"},
};

std::string reduce(OpExport& e, const char* op, const std::string& x) {
  const std::int64_t keep = e.flag("keepdims");
  const bool absent = !e.has("axis");
  Ints64 axes = absent ? Ints64{} : e.list("axis");
  if (!absent && axes.empty()) return e.w.emit("Identity", {x});
  const bool by_operand = e.w.opset() >= 18 || std::string_view(op) == "ReduceSum";
  if (absent) return e.w.emit(op, {x}, {{"keepdims", keep}});
  if (by_operand) return e.w.emit(op, {x, e.w.ints(axes)}, {{"keepdims", keep}});
  return e.w.emit(op, {x}, {{"axes", axes}, {"keepdims", keep}});
}

ValueNames write_reduce(OpExport& e) {
  for (const ReduceOp& r : kReductions) {
    if (e.op() == r.weir) return {reduce(e, r.onnx, e.in(0))};
  }
  e.unsupported("no op of ONNX");
}

// Of bools: the extremum of 0 and 1.
ValueNames write_logical_reduce(OpExport& e) {
  const std::string x = as_type(e, e.in(0), DType::boolean, DType::int32);
  const std::string y = reduce(e, e.op() == "Any" ? "ReduceMax" : "ReduceMin", x);
  return {as_type(e, y, DType::int32, DType::boolean)};
}

ValueNames write_arg(OpExport& e) {
  const std::string y = e.w.emit(
      e.op().c_str(), {e.in(0)}, {{"axis", e.list("axis").at(0)}, {"keepdims", std::int64_t{0}}});
  return {as_type(e, y, DType::int64, e.out().dtype)};
}

ValueNames write_cumsum(OpExport& e) {
  const std::string axis = e.w.constant(Tensor(e.list("axis").at(0)), "axis");
  return {e.w.emit("CumSum",
                   {e.in(0), axis},
                   {{"exclusive", std::int64_t(e.flag("exclusive"))},
                    {"reverse", std::int64_t(e.flag("reverse"))}})};
}

constexpr Exporter kExporters[] = {
    {"All", write_logical_reduce},
    {"Any", write_logical_reduce},
    {"ArgMax", write_arg},
    {"ArgMin", write_arg},
    {"BroadcastTo", write_broadcast_to},
    {"ConcatV2", write_concat},
    {"Cumsum", write_cumsum},
    {"DepthToSpace", write_depth_to_space},
    {"EnsureShape", write_identity},
    {"ExpandDims", write_expand_dims},
    {"Fill", write_fill},
    {"GatherNd", write_gather_nd},
    {"GatherV2", write_gather},
    {"Max", write_reduce},
    {"Mean", write_reduce},
    {"Min", write_reduce},
    {"MirrorPad", write_mirror_pad},
    {"OneHot", write_one_hot},
    {"Pack", write_stack},
    {"Pad", write_pad},
    {"PadV2", write_pad},
    {"Prod", write_reduce},
    {"Range", write_range},
    {"Rank", write_rank},
    {"Reshape", write_reshape},
    {"ReverseV2", write_reverse},
    {"ScatterNd", write_scatter_nd},
    {"Shape", write_shape},
    {"Size", write_size},
    {"Slice", write_slice},
    {"SpaceToDepth", write_space_to_depth},
    {"Split", write_split},
    {"SplitV", write_split},
    {"Squeeze", write_squeeze},
    {"StridedSlice", write_strided_slice},
    {"Sum", write_reduce},
    {"TensorScatterAdd", write_tensor_scatter},
    {"TensorScatterMax", write_tensor_scatter},
    {"TensorScatterMin", write_tensor_scatter},
    {"TensorScatterMul", write_tensor_scatter},
    {"TensorScatterSub", write_tensor_scatter},
    {"TensorScatterUpdate", write_tensor_scatter},
    {"Tile", write_tile},
    {"TopKV2", write_top_k},
    {"Transpose", write_transpose},
    {"Unpack", write_unpack},
    {"Where", write_where},
};

}  // namespace

std::span<const Exporter> array_exporters() {
  return kExporters;
}

}  // namespace weir::onnx_io
