/// Ops that move elements without computing. One whose result has the shape of its operand, for
/// every input of the graph, has moved nothing (a tile by 1, a pad by 0, a whole slice) unless it
/// permutes.

#include <algorithm>

#include "passes/rules/rule.h"

namespace weir::passes {
namespace {

/// The integers of the root's static operand.
std::span<const std::int64_t> ints(const Node& n, const char* attr) {
  const int index = n.op->attr_index(attr);
  if (index < 0 || n.attrs[std::size_t(index)].kind != rt::Attr::Kind::ints) return {};
  return {n.attrs[std::size_t(index)].ints, n.attrs[std::size_t(index)].count};
}

/// The permutation of a transpose; absent: reversed axes.
std::vector<std::int64_t> permutation(const Node& n) {
  const auto given = ints(n, "perm");
  const int rank = n.outputs[0].shape.rank();
  std::vector<std::int64_t> perm(given.begin(), given.end());
  for (int i = rank - 1; given.empty() && i >= 0; --i)
    perm.push_back(i);
  for (std::int64_t& p : perm)
    p += p < 0 ? rank : 0;
  return perm;
}

bool set_ints(Node& n, const char* attr, const std::vector<std::int64_t>& values) {
  const int index = n.op->attr_index(attr);
  if (index < 0) return false;
  n.attrs.set(std::size_t(index), rt::Attr::int_list(values.data(), std::uint32_t(values.size())));
  return true;
}

/// Gives a Reshape the shape of the root; one dimension may be left to the number of elements.
bool to_shape_of_root(const Match& m, Node& reshape) {
  std::vector<std::int64_t> dims;
  int open = 0;
  bool empty = false;
  for (Dim d : m.root.outputs[0].shape.dims()) {
    dims.push_back(d.value());
    open += d.known() ? 0 : 1;
    empty = empty || d == Dim(0);
  }
  return open <= 1 && !(open == 1 && empty) && m.root.outputs[0].shape.has_rank() &&
         set_ints(reshape, "shape", dims);
}

/// A view from one known shape to another, or one that leaves the only unknown dimension as it is,
/// cannot fail.
bool inner_view_cannot_fail(const Match& m) {
  const Shape& from = m.spec(m.variables[0]).shape;
  const Shape& to = m.below(0).outputs[0].shape;
  if (!from.has_rank() || !to.has_rank()) return false;
  const auto open = [](const Shape& s) {
    return std::count_if(s.dims().begin(), s.dims().end(), [](Dim d) { return !d.known(); });
  };
  const auto open_dim = [](const Shape& s) {
    return *std::find_if(s.dims().begin(), s.dims().end(), [](Dim d) { return !d.known(); });
  };
  if (open(from) == 0 && open(to) == 0) return true;
  return open(from) == 1 && open(to) == 1 && open_dim(from).same(open_dim(to));
}

bool compose_permutations(const Match& m, Node& transpose) {
  const auto outer = permutation(m.root), inner = permutation(m.below(0));
  std::vector<std::int64_t> both;
  for (std::int64_t p : outer)
    both.push_back(inner[std::size_t(p)]);
  return set_ints(transpose, "perm", both);
}

bool permutes_nothing(const Match& m) {
  const auto perm = permutation(m.root);
  return std::is_sorted(perm.begin(), perm.end());
}

/// Only axes of length 1 change their place.
bool permutes_only_ones(const Match& m) {
  const Shape& shape = m.spec(m.variables[0]).shape;
  std::vector<std::int64_t> rest;
  for (std::int64_t p : permutation(m.root)) {
    if (shape[int(p)] != Dim(1)) rest.push_back(p);
  }
  return std::is_sorted(rest.begin(), rest.end());
}

bool strides_are_one(const Match& m) {
  const auto strides = ints(m.root, "strides");
  return std::all_of(strides.begin(), strides.end(), [](std::int64_t s) { return s == 1; });
}

bool reverses_the_same_axes(const Match& m) {
  const auto outer = ints(m.root, "axis"), inner = ints(m.below(0), "axis");
  return std::equal(outer.begin(), outer.end(), inner.begin(), inner.end());
}

constexpr Rule kRules[] = {
    {.name = "identity", .pattern = "Identity(x)", .replacement = "x", .keeps_shape = true},
    {.name = "stop_gradient",
     .pattern = "StopGradient(x)",
     .replacement = "x",
     .keeps_shape = true},
    {.name = "prevent_gradient",
     .pattern = "PreventGradient(x)",
     .replacement = "x",
     .keeps_shape = true},
    {.name = "view_of_same_shape", .pattern = "<view>(x)", .replacement = "x"},
    {.name = "view_of_view",
     .pattern = "<view>(<view>(x))",
     .replacement = "Reshape(x)",
     .guard = inner_view_cannot_fail,
     .finish = to_shape_of_root},
    {.name = "tile_by_one", .pattern = "Tile(x)", .replacement = "x"},
    {.name = "broadcast_to_same", .pattern = "BroadcastTo(x)", .replacement = "x"},
    {.name = "pad_by_zero", .pattern = "Pad(x)", .replacement = "x"},
    {.name = "pad_v2_by_zero", .pattern = "PadV2(x, c)", .replacement = "x"},
    {.name = "mirror_pad_by_zero", .pattern = "MirrorPad(x)", .replacement = "x"},
    {.name = "slice_of_all", .pattern = "Slice(x)", .replacement = "x"},
    {.name = "strided_slice_of_all",
     .pattern = "StridedSlice(x)",
     .replacement = "x",
     .guard = strides_are_one},
    {.name = "concat_of_one", .pattern = "ConcatV2(x)", .replacement = "x"},
    {.name = "pack_of_one",
     .pattern = "Pack(x)",
     .replacement = "Reshape(x)",
     .finish = to_shape_of_root},
    {.name = "transpose_of_nothing",
     .pattern = "Transpose(x)",
     .replacement = "x",
     .guard = permutes_nothing},
    {.name = "transpose_of_ones",
     .pattern = "Transpose(x)",
     .replacement = "Reshape(x)",
     .guard = permutes_only_ones,
     .finish = to_shape_of_root},
    {.name = "transpose_of_transpose",
     .pattern = "Transpose(Transpose(x))",
     .replacement = "Transpose(x)",
     .finish = compose_permutations},
    {.name = "reverse_of_reverse",
     .pattern = "ReverseV2(ReverseV2(x))",
     .replacement = "x",
     .guard = reverses_the_same_axes},
};

}  // namespace

std::span<const Rule> layout_rules() {
  return kRules;
}

}  // namespace weir::passes
