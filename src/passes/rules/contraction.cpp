/// Transposes go into the contractions that read them: packing reads an operand in either order at
/// the same cost.

#include "passes/rules/rule.h"

namespace weir::passes {
namespace {

/// The inner transpose exchanges the last two axes and no others.
bool swaps_last_two(const Match& m) {
  const Node& transpose = m.below(0);
  const int rank = transpose.outputs[0].shape.rank();
  const int index = transpose.op->attr_index("perm");
  if (rank < 2 || index < 0) return false;
  const rt::Attr& perm = transpose.attrs[std::size_t(index)];
  if (perm.kind == rt::Attr::Kind::none) return rank == 2;  // absent: reversed axes
  if (perm.kind != rt::Attr::Kind::ints || int(perm.count) != rank) return false;
  for (int i = 0; i < rank; ++i) {
    const int expected = i == rank - 1 ? rank - 2 : i == rank - 2 ? rank - 1 : i;
    if ((perm.ints[i] + rank) % rank != expected) return false;
  }
  return true;
}

template <int attr>
bool flip(const Match&, Node& contraction) {
  contraction.attrs.set(attr, rt::Attr::boolean(!contraction.attrs[attr].b));
  return true;
}

constexpr Rule kRules[] = {
    {.name = "matmul_of_transposed_a",
     .pattern = "MatMul(Transpose(x), y)",
     .replacement = "MatMul(x, y)",
     .guard = swaps_last_two,
     .finish = flip<0>},
    {.name = "matmul_of_transposed_b",
     .pattern = "MatMul(x, Transpose(y))",
     .replacement = "MatMul(x, y)",
     .guard = swaps_last_two,
     .finish = flip<1>},
    // adj_x conjugates complex operands, a transpose does not.
    {.name = "batch_matmul_of_transposed_x",
     .pattern = "BatchMatMulV2(Transpose(x), y)",
     .replacement = "BatchMatMulV2(x, y)",
     .types = kReal,
     .guard = swaps_last_two,
     .finish = flip<0>},
    {.name = "batch_matmul_of_transposed_y",
     .pattern = "BatchMatMulV2(x, Transpose(y))",
     .replacement = "BatchMatMulV2(x, y)",
     .types = kReal,
     .guard = swaps_last_two,
     .finish = flip<1>},
};

}  // namespace

std::span<const Rule> contraction_rules() {
  return kRules;
}

}  // namespace weir::passes
