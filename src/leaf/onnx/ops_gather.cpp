#include <weir/ops/nn.h>

#include <algorithm>

#include "leaf/onnx/constant.h"
#include "leaf/onnx/helpers.h"

namespace weir::onnx_io {
namespace {

Tensor int64(std::int64_t v) {
  return Tensor(v);
}

// Indices below 0 count from the end of an axis of `n` elements.
Tensor wrapped(const Tensor& indices, const Tensor& n) {
  return where(indices < 0, indices + cast(n, indices.dtype()), indices);
}

Tensor length_of(const Tensor& x, std::int64_t axis) {
  const std::int64_t n = x.dim(static_cast<int>(axis));
  return n >= 0 ? int64(n) : reshape(slice(shape(x, DType::int64), axis, 1), List{});
}

Values convert_gather(NodeContext& c) {
  const Tensor& x = c.value(0).tensor;
  const std::int64_t axis = check_axis(c, c.i("axis", 0), c.rank(0));
  return {Value(gather(x, wrapped(c.in(1), length_of(x, axis)), axis), c.value(0).type)};
}

// x and indices with the axis last and all others one: [rows, n], [rows, k]; x cut to what the
// indices cover.
struct Rows {
  Tensor x, indices;
  List dims;   // of the indices, axis last
  List order;  // what moved the axis there
};

Rows as_rows(const NodeContext& c, const Tensor& x, const Tensor& indices, std::int64_t axis) {
  Rows r;
  const std::int64_t rank = x.rank();
  if (indices.rank() != rank) c.damaged("indices of another rank");
  r.order = moved_axis(rank, axis, rank - 1);
  Tensor data = transpose(x, r.order);
  const Tensor places = transpose(indices, r.order);
  r.dims = known_dims(c, places);
  List size = known_dims(c, data);
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < size.size(); ++i) {
    if (r.dims[i] > size[i]) c.damaged("indices of a larger shape");
    size[i] = r.dims[i];
    rows *= size[i];
  }
  data = slice(data, List(size.size(), 0), size);
  r.x = reshape(data, List{rows, size.back()});
  r.indices = reshape(wrapped(places, int64(size.back())), List{rows, r.dims.back()});
  return r;
}

List inverse(const List& order) {
  List back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    back[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return back;
}

Values convert_gather_elements(NodeContext& c) {
  const std::int64_t axis = check_axis(c, c.i("axis", 0), c.rank(0));
  const Rows r = as_rows(c, c.in(0), c.in(1), axis);
  return {transpose(reshape(gather(r.x, r.indices, 1, 1), r.dims), inverse(r.order))};
}

Tensor wrapped_coordinates(const Tensor& x, const Tensor& indices, std::int64_t first) {
  const std::int64_t k = indices.dim(-1);
  return wrapped(indices, slice(dims_of(x), first, k));
}

Values convert_gather_nd(NodeContext& c) {
  const Tensor &x = c.in(0), &indices = c.in(1);
  const std::int64_t batch = c.i("batch_dims", 0);
  if (batch == 0) return {gather_nd(x, wrapped_coordinates(x, indices, 0))};
  if (batch < 0 || batch >= c.rank(1) || batch >= c.rank(0)) c.damaged("its batch_dims");
  // Coordinates of the batch in front of those that are given.
  const List dims = known_dims(c, indices);
  List grid = dims;
  grid.back() = 1;
  std::vector<Tensor> parts;
  for (std::int64_t b = 0; b < batch; ++b) {
    List own(dims.size(), 1);
    own[static_cast<std::size_t>(b)] = dims[static_cast<std::size_t>(b)];
    const Tensor numbers = Tensor::from(iota(own[static_cast<std::size_t>(b)]), Shape(own));
    parts.push_back(broadcast_to(numbers, grid));
  }
  parts.push_back(wrapped_coordinates(x, indices, batch));
  return {gather_nd(x, concat(parts, -1))};
}

// -- scatter --

Tensor scattered(const NodeContext& c,
                 const Tensor& x,
                 const Tensor& at,
                 const Tensor& updates,
                 const std::string& reduction) {
  if (reduction == "none") return tensor_scatter_update(x, at, updates);
  if (reduction == "add") return tensor_scatter_add(x, at, updates);
  if (reduction == "mul") return tensor_scatter_mul(x, at, updates);
  if (reduction == "max") return tensor_scatter_max(x, at, updates);
  if (reduction == "min") return tensor_scatter_min(x, at, updates);
  c.damaged("the attribute 'reduction'");
}

Values convert_scatter_nd(NodeContext& c) {
  const Tensor& x = c.in(0);
  const Tensor at = wrapped_coordinates(x, c.in(1), 0);
  return {scattered(c, x, at, c.in(2), c.s("reduction", "none"))};
}

Values convert_scatter_elements(NodeContext& c) {
  const Tensor &x = c.in(0), &indices = c.in(1);
  const std::int64_t axis = check_axis(c, c.i("axis", 0), c.rank(0));
  if (c.rank(1) != c.rank(0)) c.damaged("indices of another rank");
  const List dims = known_dims(c, indices);
  std::vector<Tensor> coordinates;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (static_cast<std::int64_t>(d) == axis) {
      coordinates.push_back(cast(wrapped(indices, length_of(x, axis)), DType::int64));
      continue;
    }
    List own(dims.size(), 1);
    own[d] = dims[d];
    coordinates.push_back(broadcast_to(Tensor::from(iota(dims[d]), Shape(own)), dims));
  }
  return {scattered(c, x, stack(coordinates, -1), c.in(2), c.s("reduction", "none"))};
}

// Rows of a cache, one after another from the place of each batch on.
Values convert_tensor_scatter(NodeContext& c) {
  const Tensor &past = c.in(0), &update = c.in(1);
  const List dims = known_dims(c, past), news = known_dims(c, update);
  const std::int64_t rank = c.rank(0), axis = check_axis(c, c.i("axis", -2), rank);
  if (axis == 0 || news.size() != dims.size()) c.damaged("its axis");
  const bool circular = c.s("mode", "linear") == "circular";
  const std::int64_t n = dims[static_cast<std::size_t>(axis)];
  const std::int64_t m = news[static_cast<std::size_t>(axis)];
  Tensor first = c.has(2) ? cast(c.in(2), DType::int64) : fill(List{dims[0]}, int64(0));
  Tensor place = expand_dims(first, 1) + Tensor::from(iota(m), Shape{1, Dim(m)});
  if (circular) place = floormod(place, int64(n));
  List wide(static_cast<std::size_t>(rank), 1);
  wide[0] = dims[0];
  wide[static_cast<std::size_t>(axis)] = m;
  std::vector<Tensor> coordinates;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (static_cast<std::int64_t>(d) == axis) {
      coordinates.push_back(broadcast_to(reshape(place, wide), news));
      continue;
    }
    List own(dims.size(), 1);
    own[d] = news[d];
    coordinates.push_back(broadcast_to(Tensor::from(iota(news[d]), Shape(own)), news));
  }
  return {tensor_scatter_update(past, stack(coordinates, -1), update)};
}

// -- selections --

Values convert_one_hot(NodeContext& c) {
  const Tensor indices = cast(c.in(0), DType::int64);
  const Tensor depth = cast(as_scalar(c.in(1)), DType::int64);
  if (!is_constant(c.in(1))) c.unsupported("a depth that is no constant");
  const std::int64_t n = c.in(1).item<std::int64_t>();
  if (n < 0 || n > (1 << 28)) c.damaged("its depth");
  const Tensor values = c.in(2);
  const Tensor off = reshape(slice(values, 0, 1), List{}),
               on = reshape(slice(values, 1, 1), List{});
  const std::int64_t axis = check_axis(c, c.i("axis", -1), c.rank(0) + 1);
  return {one_hot(where(indices < 0, indices + depth, indices), Ints(n), on, off, axis)};
}

// The order reversed: what was smallest is largest.
Tensor opposite(const Tensor& x) {
  return is_integer(x.dtype()) ? invert(x) : negative(x);
}

Values convert_top_k(NodeContext& c) {
  const std::int64_t rank = c.rank(0), axis = check_axis(c, c.i("axis", -1), rank);
  const bool largest = c.flag("largest", true), sorted = c.flag("sorted", true);
  const List order = moved_axis(rank, axis, rank - 1);
  Tensor x = transpose(c.in(0), order);
  if (!largest) x = opposite(x);
  TopKResult r;
  if (c.opset() < 10) {
    r = top_k(x, c.i("k"), sorted);
  } else if (is_constant(c.in(1))) {
    r = top_k(x, c.constant_ints(1).at(0), sorted);
  } else {
    r = top_k(x, as_scalar(c.in(1)), sorted);
  }
  Tensor values = largest ? r.values : opposite(r.values);
  const List back = inverse(order);
  return {transpose(values, back), transpose(cast(r.indices, DType::int64), back)};
}

Values convert_non_zero(NodeContext& c) {
  return {transpose(where(c.in(0)))};
}

Values convert_compress(NodeContext& c) {
  Tensor x = c.in(0);
  std::int64_t axis = 0;
  if (c.has_attr("axis")) {
    axis = check_axis(c, c.i("axis"), c.rank(0));
  } else {
    x = reshape(x, List{-1});
  }
  return {gather(x, squeeze(where(c.in(1)), -1), axis)};
}

// The number of each element among the distinct values in ascending order.
Tensor dense_rank(const Tensor& v) {
  const UniqueResult u = unique(v, DType::int64);
  const Tensor order = argsort(u.y);
  return gather(cast(invert_permutation(order), DType::int64), u.idx);
}

// One number for each slice along axis 0: slices in lexicographic order, equal ones alike.
Tensor slice_ranks(const NodeContext& c, const Tensor& x) {
  constexpr std::int64_t kMaxColumns = 256;
  const std::int64_t n = known_dim(c, x, 0);
  const Tensor rows = reshape(x, List{n, -1});
  const std::int64_t columns = known_dim(c, rows, 1);
  if (columns > kMaxColumns) c.unsupported("slices of more than 256 elements");
  Tensor rank = fill(List{n}, int64(0));
  for (std::int64_t j = columns; j-- > 0;) {
    const Tensor own = dense_rank(reshape(slice(rows, List{0, j}, List{n, 1}), List{n}));
    rank = dense_rank(own * int64(n + 1) + rank);
  }
  return rank;
}

Values convert_unique(NodeContext& c) {
  Tensor x = c.in(0);
  const bool by_slice = c.has_attr("axis");
  const std::int64_t axis = by_slice ? check_axis(c, c.i("axis"), c.rank(0)) : 0;
  Tensor keys;
  List order;
  if (by_slice) {
    order = moved_axis(c.rank(0), axis, 0);
    x = transpose(x, order);
    keys = slice_ranks(c, x);
  } else {
    x = reshape(x, List{-1});
    keys = x;
  }
  const UniqueWithCountsResult u = unique_with_counts(keys, DType::int64);
  const Tensor positions = range(int64(0), length_of(x, 0), int64(1));
  Tensor first = unsorted_segment_min(positions, u.idx, size(u.count, DType::int64));
  Tensor inverse_indices = u.idx, counts = u.count;
  if (c.flag("sorted", true)) {
    const Tensor ascending = argsort(u.y);
    first = gather(first, ascending);
    counts = gather(counts, ascending);
    inverse_indices = gather(cast(invert_permutation(ascending), DType::int64), u.idx);
  }
  Tensor y = gather(x, first);
  if (by_slice) y = transpose(y, inverse(order));
  return {y, first, inverse_indices, counts};
}

Values convert_reverse_sequence(NodeContext& c) {
  const std::int64_t rank = c.rank(0);
  const std::int64_t batch = check_axis(c, c.i("batch_axis", 1), rank);
  const std::int64_t time = check_axis(c, c.i("time_axis", 0), rank);
  if (batch == time) c.damaged("one axis for batch and time");
  List order = {batch, time};
  for (std::int64_t i = 0; i < rank; ++i) {
    if (i != batch && i != time) order.push_back(i);
  }
  const Tensor x = transpose(c.in(0), order);
  const Tensor t = expand_dims(range(int64(0), length_of(x, 1), int64(1)), 0);
  const Tensor length = expand_dims(cast(c.in(1), DType::int64), 1);
  const Tensor from = where(t < length, length - int64(1) - t, t + zeros_like(length));
  return {transpose(gather(x, from, 1, 1), inverse(order))};
}

// -- matrices --

// Row and column numbers that broadcast against the last two axes.
struct Grid {
  Tensor row, column;
};

Grid grid_of(const Tensor& x) {
  const std::int64_t rank = x.rank();
  return {expand_dims(range(int64(0), length_of(x, rank - 2), int64(1)), 1),
          expand_dims(range(int64(0), length_of(x, rank - 1), int64(1)), 0)};
}

Values convert_trilu(NodeContext& c) {
  const Tensor& x = c.in(0);
  if (c.rank(0) < 2) c.damaged("an operand that is no matrix");
  const Grid g = grid_of(x);
  const Tensor k = c.has(1) ? as_scalar(c.in(1)) : int64(0);
  const Tensor keep = c.flag("upper", true) ? g.column >= g.row + k : g.column <= g.row + k;
  return {where(keep, x, zeros_like(x))};
}

Values convert_eye_like(NodeContext& c) {
  const Tensor& x = c.in(0);
  if (c.rank(0) != 2) c.damaged("an operand that is no matrix");
  const DType dtype = c.has_attr("dtype") ? dtype_of_attr(c, c.i("dtype")) : x.dtype();
  const Grid g = grid_of(x);
  return {cast(equal(g.column, g.row + int64(c.i("k", 0))), dtype)};
}

Values convert_array_feature_extractor(NodeContext& c) {
  const Tensor& x = c.in(0);
  return {gather(c.rank(0) == 1 ? expand_dims(x, 0) : x,
                 reshape(c.in(1), List{-1}),
                 std::max<std::int64_t>(c.rank(0) - 1, 1))};
}

constexpr Converter kConverters[] = {
    {"ArrayFeatureExtractor", convert_array_feature_extractor, 1, true, "ai.onnx.ml"},
    {"Compress", convert_compress},
    {"EyeLike", convert_eye_like},
    {"Gather", convert_gather},
    {"GatherElements", convert_gather_elements},
    {"GatherND", convert_gather_nd},
    {"NonZero", convert_non_zero},
    {"OneHot", convert_one_hot},
    {"ReverseSequence", convert_reverse_sequence},
    {"Scatter", convert_scatter_elements},
    {"ScatterElements", convert_scatter_elements},
    {"ScatterND", convert_scatter_nd},
    {"TensorScatter", convert_tensor_scatter},
    {"TopK", convert_top_k},
    {"Trilu", convert_trilu},
    {"Unique", convert_unique},
};

}  // namespace

std::span<const Converter> gather_converters() {
  return kConverters;
}

}  // namespace weir::onnx_io
