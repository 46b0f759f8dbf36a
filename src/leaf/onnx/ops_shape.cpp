#include <algorithm>
#include <limits>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

// An operand that is a shape: a list of no more dimensions than a tensor can have.
const Tensor& shape_operand(NodeContext& c, std::size_t i) {
  if (c.rank(i) != 1 || c.in(i).dim(0) > kMaxRank) c.damaged("a shape " + c.in(i).describe());
  return c.in(i);
}

// The target with its zeros replaced by the dimensions that x has there.
Tensor copied_dims(NodeContext& c, const Tensor& x, const Tensor& target) {
  const Tensor zero = equal(target, zeros_like(target));
  const std::int64_t rank = known_dim(c, target, 0), own = c.rank(0);
  Tensor dims = dims_of(x);
  if (own > rank) dims = slice(dims, 0, rank);
  if (own < rank) dims = pad(dims, List{0, rank - own});
  return where(zero, dims, target);
}

Values convert_reshape(NodeContext& c) {
  const Tensor &x = c.in(0), &target = shape_operand(c, 1);
  if (c.flag("allowzero")) {
    return {is_constant(target) ? reshape(x, to_ints(target)) : reshape(x, target)};
  }
  if (!is_constant(target)) return {reshape(x, copied_dims(c, x, target))};
  List dims = to_ints(target);
  bool known = true;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 0) continue;
    if (std::int64_t(i) >= c.rank(0)) c.damaged("a 0 for a dimension that is not there");
    dims[i] = x.dim(static_cast<int>(i));
    known = known && dims[i] >= 0;
  }
  // One unknown dimension may be left to reshape; more are read when it runs.
  if (known || std::count(dims.begin(), dims.end(), -1) == 1) return {reshape(x, dims)};
  return {reshape(x, copied_dims(c, x, target))};
}

Values convert_flatten(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t rank = c.rank(0);
  std::int64_t axis = c.i("axis", 1);
  if (axis < -rank || axis > rank) c.damaged("axis " + std::to_string(axis));
  if (axis < 0) axis += rank;
  std::int64_t rows = 1, columns = 1;
  bool rows_known = true, columns_known = true;
  for (int i = 0; i < rank; ++i) {
    const std::int64_t d = x.dim(i);
    (i < axis ? rows_known : columns_known) &= d >= 0;
    (i < axis ? rows : columns) *= std::max<std::int64_t>(d, 0);
  }
  if (rows_known) return {reshape(x, List{rows, columns_known ? columns : -1})};
  if (columns_known) return {reshape(x, List{-1, columns})};
  const Tensor dims = dims_of(x);
  return {reshape(x, stack({prod(slice(dims, 0, axis)), prod(slice(dims, axis, rank - axis))}))};
}

Values convert_transpose(NodeContext& c) {
  const List perm = c.ints("perm");
  if (perm.empty()) return {transpose(c.in(0))};
  return {transpose(c.in(0), perm)};
}

// The axes of Squeeze and its kin: an attribute before operand 1 took them over, at set 13.
List axes_of(NodeContext& c) {
  if (c.has_attr("axes")) return c.ints("axes");
  return c.has(1) ? c.constant_ints(1) : List{};
}

Values convert_squeeze(NodeContext& c) {
  const List axes = axes_of(c);
  if (axes.empty()) {
    known_dims(c, c.in(0));
    return {squeeze(c.in(0))};
  }
  return {squeeze(c.in(0), axes)};
}

Values convert_unsqueeze(NodeContext& c) {
  Tensor x = c.in(0);
  List axes = axes_of(c);
  const std::int64_t rank = c.rank(0) + static_cast<std::int64_t>(axes.size());
  axes = check_axes(c, axes, rank);
  std::sort(axes.begin(), axes.end());
  for (const std::int64_t axis : axes)
    x = expand_dims(x, axis);
  return {axes.empty() ? identity(x) : x};
}

Values convert_concat(NodeContext& c) {
  const std::vector<Tensor> parts = c.tensors();
  if (c.i("axis") == 1) {
    const Tensor joined = concat_channels(parts);
    if (joined.defined()) return {joined};
  }
  return {concat(parts, c.i("axis"))};
}

// The lengths of the parts: given, or as equal as they can be, the last one shorter.
List split_sizes(NodeContext& c, const Tensor& x, std::int64_t axis, std::int64_t parts) {
  if (c.has_attr("split")) return c.ints("split");
  if (c.has(1)) return c.constant_ints(1);
  const std::int64_t n = known_dim(c, x, axis);
  const std::int64_t each = (n + parts - 1) / std::max<std::int64_t>(parts, 1);
  List sizes;
  for (std::int64_t i = 0; i < parts; ++i)
    sizes.push_back(std::clamp<std::int64_t>(n - i * each, 0, each));
  return sizes;
}

Values convert_split(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t axis = check_axis(c, c.i("axis", 0), c.rank(0));
  const auto parts = c.i("num_outputs", static_cast<std::int64_t>(c.outputs()));
  if (parts < 1 || parts > (1 << 20)) c.damaged("the attribute 'num_outputs'");
  const List sizes = split_sizes(c, x, axis, parts);
  Values results;
  for (const Tensor& part : split(x, sizes, axis))
    results.push_back(part);
  return results;
}

// -- slices --

struct SliceRows {
  List starts, ends, axes, steps;
};

SliceRows slice_rows(NodeContext& c) {
  SliceRows rows;
  if (c.opset() < 10) {
    rows = {c.ints("starts"), c.ints("ends"), c.ints("axes"), {}};
  } else {
    rows.starts = c.constant_ints(1);
    rows.ends = c.constant_ints(2);
    if (c.has(3)) rows.axes = c.constant_ints(3);
    if (c.has(4)) rows.steps = c.constant_ints(4);
  }
  const std::size_t n = rows.starts.size();
  if (rows.axes.empty()) rows.axes = iota(static_cast<std::int64_t>(n));
  if (rows.steps.empty()) rows.steps = List(n, 1);
  if (rows.ends.size() != n || rows.axes.size() != n || rows.steps.size() != n) {
    c.damaged("lists of different lengths");
  }
  return rows;
}

// Bounds that depend on the data: one axis after another, in order.
Values slice_by_tensors(NodeContext& c) {
  const std::int64_t rank = c.rank(0);
  const Tensor &starts = c.in(1), &ends = c.in(2);
  const std::int64_t n = known_dim(c, starts, 0);
  List axes = c.has(3) ? check_axes(c, c.constant_ints(3), rank) : iota(n);
  if (static_cast<std::int64_t>(axes.size()) != n) c.damaged("lists of different lengths");
  const Tensor steps = c.has(4) ? c.in(4) : ones_like(starts);
  if (axes != iota(n)) {
    // Rows for all axes up to the last that is named, those of the others left open.
    c.unsupported("bounds that are no constants, of axes that are not the first ones");
  }
  return {strided_slice(c.in(0), starts, ends, steps)};
}

Values convert_slice(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t rank = c.rank(0);
  if (c.opset() >= 10 && !(is_constant(c.in(1)) && is_constant(c.in(2)))) {
    return slice_by_tensors(c);
  }
  if (rank > 62) c.unsupported("a slice of more than 62 axes");
  const SliceRows rows = slice_rows(c);
  const List axes = check_axes(c, rows.axes, rank);
  const auto n = static_cast<std::size_t>(rank);
  List begin(n, 0), end(n, 0), steps(n, 1);
  std::int64_t begin_mask = (std::int64_t{1} << rank) - 1, end_mask = begin_mask;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i]);
    begin[axis] = rows.starts[i];
    end[axis] = rows.ends[i];
    steps[axis] = rows.steps[i];
    begin_mask &= ~(std::int64_t{1} << axis);
    end_mask &= ~(std::int64_t{1} << axis);
  }
  return {strided_slice(x, begin, end, steps, begin_mask, end_mask)};
}

// -- shapes as values --

Values convert_shape(NodeContext& c) {
  const Tensor& x = c.value(0).tensor;
  if (!x.defined()) c.damaged("an operand that is no tensor");
  const std::int64_t rank = c.rank(0);
  const auto bound = [&](std::int64_t v) {
    return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank);
  };
  const std::int64_t start = bound(c.i("start", 0)), end = bound(c.i("end", rank));
  const std::int64_t count = std::max<std::int64_t>(end - start, 0);
  // Known dimensions are constants, though others are not.
  List part;
  for (std::int64_t i = start; i < start + count; ++i)
    part.push_back(x.dim(static_cast<int>(i)));
  if (std::all_of(part.begin(), part.end(), [](auto d) { return d >= 0; })) {
    return {Tensor::from(part)};
  }
  return {slice(shape(x, DType::int64), start, count)};
}

Values convert_size(NodeContext& c) {
  const Tensor& x = c.value(0).tensor;
  if (!x.defined()) c.damaged("an operand that is no tensor");
  if (x.size() >= 0) return {Tensor(x.size())};
  return {size(x, DType::int64)};
}

Values convert_identity(NodeContext& c) {
  const Value& v = c.value(0);
  if (v.sequence != nullptr) return {v};
  return {Value(identity(v.tensor), v.type)};
}

Tensor number_list(const std::vector<float>& v) {
  return Tensor::from(v);
}

Values convert_constant(NodeContext& c) {
  if (c.has_attr("value")) return {c.tensor("value")};
  if (c.has_attr("sparse_value")) return {c.sparse_tensor("sparse_value")};
  if (c.has_attr("value_float")) return {Tensor(c.f("value_float", 0))};
  if (c.has_attr("value_int")) return {Tensor(c.i("value_int"))};
  if (c.has_attr("value_floats")) return {number_list(c.floats("value_floats"))};
  if (c.has_attr("value_ints")) return {Tensor::from(c.ints("value_ints"))};
  if (c.has_attr("value_string")) return {Tensor(c.s("value_string", ""))};
  const auto texts = c.strings("value_strings");
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return {Tensor::strings(views, Shape{Dim(std::int64_t(views.size()))})};
}

Values convert_constant_of_shape(NodeContext& c) {
  Value value(Tensor::full(Shape{}, 0.f));
  if (c.has_attr("value")) value = c.tensor("value");
  if (value.tensor.size() != 1) c.damaged("a value of more than one element");
  return {Value(fill(shape_operand(c, 0), as_scalar(value.tensor)), value.type)};
}

// -- broadcasting and copies --

Values convert_expand(NodeContext& c) {
  const Tensor &x = c.in(0), &target = shape_operand(c, 1);
  if (is_constant(target) && x.shape().has_rank()) {
    // A 1 in the target keeps the dimension: both sides broadcast.
    List dims = to_ints(target);
    const std::int64_t own = c.rank(0);
    while (static_cast<std::int64_t>(dims.size()) < own)
      dims.insert(dims.begin(), 1);
    const auto offset = static_cast<std::int64_t>(dims.size()) - own;
    for (std::int64_t i = 0; i < own; ++i) {
      std::int64_t& d = dims[static_cast<std::size_t>(i + offset)];
      if (d == 1) d = -1;
    }
    return {broadcast_to(x, dims)};
  }
  // Broadcasting against a tensor of that shape does the same.
  const Tensor ones = fill(target, Tensor(true));
  return {where(ones, x, zeros_like(x))};
}

Values convert_tile(NodeContext& c) {
  return {tile(c.in(0), shape_operand(c, 1))};
}

Values convert_range(NodeContext& c) {
  const Tensor start = as_scalar(c.in(0)), limit = as_scalar(c.in(1)), step = as_scalar(c.in(2));
  return {range(start, limit, step)};
}

// -- padding --

// The element that stands at place `at` of an axis of n, continued beyond its ends.
std::int64_t source_of(std::int64_t at, std::int64_t n, const std::string& mode) {
  if (mode == "edge") return std::clamp<std::int64_t>(at, 0, n - 1);
  if (mode == "wrap") return ((at % n) + n) % n;
  if (n == 1) return 0;
  const std::int64_t period = 2 * (n - 1), m = ((at % period) + period) % period;
  return m < n ? m : period - m;
}

Tensor padded_by_index(
    const NodeContext& c, Tensor x, const List& begin, const List& end, const std::string& mode) {
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (begin[i] == 0 && end[i] == 0) continue;
    const std::int64_t n = known_dim(c, x, static_cast<std::int64_t>(i));
    if (n == 0) c.damaged("nothing to continue");
    if (n + begin[i] + end[i] < 0) c.damaged("its padding");
    table_size({n + begin[i] + end[i]});
    List from;
    for (std::int64_t at = -begin[i]; at < n + end[i]; ++at)
      from.push_back(source_of(at, n, mode));
    x = gather(x, Tensor::from(from), static_cast<std::int64_t>(i));
  }
  return x;
}

Tensor padded_with(
    const NodeContext& c, Tensor x, const List& begin, const List& end, const Tensor& value) {
  List rows;
  bool crop = false;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    rows.push_back(std::max<std::int64_t>(begin[i], 0));
    rows.push_back(std::max<std::int64_t>(end[i], 0));
    crop = crop || begin[i] < 0 || end[i] < 0;
  }
  if (crop) {
    List first, count;
    for (std::size_t i = 0; i < begin.size(); ++i) {
      const std::int64_t skip = std::max<std::int64_t>(-begin[i], 0);
      first.push_back(skip);
      count.push_back(known_dim(c, x, static_cast<std::int64_t>(i)) - skip -
                      std::max<std::int64_t>(-end[i], 0));
    }
    x = slice(x, first, count);
  }
  return pad_v2(x, rows, value);
}

Values convert_pad(NodeContext& c) {
  const Tensor& x = c.in(0);
  const std::int64_t rank = c.rank(0);
  const bool by_operand = c.opset() >= 11;
  const List pads = by_operand ? c.constant_ints(1) : c.ints("pads");
  const List axes = c.has(3) ? check_axes(c, c.constant_ints(3), rank) : iota(rank);
  constexpr std::int64_t kMaxPad = std::int64_t{1} << 40;
  const bool good =
      std::all_of(pads.begin(), pads.end(), [](auto p) { return p > -kMaxPad && p < kMaxPad; });
  if (pads.size() != 2 * axes.size() || !good) c.damaged("pads that do not fit the axes");
  List begin(static_cast<std::size_t>(rank), 0), end = begin;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    begin[static_cast<std::size_t>(axes[i])] = pads[i];
    end[static_cast<std::size_t>(axes[i])] = pads[i + axes.size()];
  }
  const std::string mode = c.s("mode", "constant");
  if (mode == "edge" || mode == "wrap" || mode == "reflect") {
    return {padded_by_index(c, x, begin, end, mode)};
  }
  if (mode != "constant") c.damaged("the attribute 'mode'");
  Tensor value = cast(Tensor(by_operand ? 0.f : c.f("value", 0)), x.dtype());
  if (by_operand && c.has(2)) value = as_scalar(c.in(2));
  return {padded_with(c, x, begin, end, value)};
}

// -- blocks --

Values convert_depth_to_space(NodeContext& c) {
  const Tensor& x = c.in(0);
  const List d = known_dims(c, x);
  const std::int64_t b = c.i("blocksize");
  if (d.size() != 4 || b < 1 || b > (1 << 15) || d[1] % (b * b) != 0) c.damaged("its block size");
  const std::int64_t channels = d[1] / (b * b);
  if (c.s("mode", "DCR") == "CRD") {
    const Tensor parts = reshape(x, List{d[0], channels, b, b, d[2], d[3]});
    return {reshape(transpose(parts, List{0, 1, 4, 2, 5, 3}),
                    List{d[0], channels, d[2] * b, d[3] * b})};
  }
  const Tensor parts = reshape(x, List{d[0], b, b, channels, d[2], d[3]});
  return {
      reshape(transpose(parts, List{0, 3, 4, 1, 5, 2}), List{d[0], channels, d[2] * b, d[3] * b})};
}

Values convert_space_to_depth(NodeContext& c) {
  const Tensor& x = c.in(0);
  const List d = known_dims(c, x);
  const std::int64_t b = c.i("blocksize");
  if (d.size() != 4 || b < 1 || b > (1 << 15) || d[2] % b != 0 || d[3] % b != 0)
    c.damaged("its block size");
  const Tensor parts = reshape(x, List{d[0], d[1], d[2] / b, b, d[3] / b, b});
  const bool columns_first = c.s("mode", "DCR") == "CRD";
  const List order = columns_first ? List{0, 1, 3, 5, 2, 4} : List{0, 3, 5, 1, 2, 4};
  return {reshape(transpose(parts, order), List{d[0], d[1] * b * b, d[2] / b, d[3] / b})};
}

constexpr Converter kConverters[] = {
    {"Concat", convert_concat},
    {"Constant", convert_constant},
    {"ConstantOfShape", convert_constant_of_shape},
    {"DepthToSpace", convert_depth_to_space},
    {"Expand", convert_expand},
    {"Flatten", convert_flatten},
    {"Identity", convert_identity},
    {"Pad", convert_pad},
    {"Range", convert_range},
    {"Reshape", convert_reshape},
    {"Shape", convert_shape},
    {"Size", convert_size},
    {"Slice", convert_slice},
    {"SpaceToDepth", convert_space_to_depth},
    {"Split", convert_split},
    {"Squeeze", convert_squeeze},
    {"Tile", convert_tile},
    {"Transpose", convert_transpose},
    {"Unsqueeze", convert_unsqueeze},
};

}  // namespace

std::span<const Converter> shape_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
