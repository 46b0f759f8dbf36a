/// Logic, comparison and choice. A negated comparison of floats is no comparison: NaN makes both
/// false. Equality is the exception, and so are integers.

#include "passes/rules/rule.h"

namespace weir::passes {
namespace {

constexpr Rule kRules[] = {
    {.name = "and_self", .pattern = "LogicalAnd(x, x)", .replacement = "x"},
    {.name = "or_self", .pattern = "LogicalOr(x, x)", .replacement = "x"},
    {.name = "and_true", .pattern = "LogicalAnd(x, true)", .replacement = "x"},
    {.name = "or_false", .pattern = "LogicalOr(x, false)", .replacement = "x"},
    {.name = "xor_false", .pattern = "LogicalXor(x, false)", .replacement = "x"},
    {.name = "bitwise_and_self", .pattern = "BitwiseAnd(x, x)", .replacement = "x"},
    {.name = "bitwise_or_self", .pattern = "BitwiseOr(x, x)", .replacement = "x"},
    {.name = "bitwise_or_zero", .pattern = "BitwiseOr(x, 0)", .replacement = "x"},
    {.name = "bitwise_xor_zero", .pattern = "BitwiseXor(x, 0)", .replacement = "x"},
    {.name = "not_equal", .pattern = "LogicalNot(Equal(x, y))", .replacement = "NotEqual(x, y)"},
    {.name = "not_not_equal",
     .pattern = "LogicalNot(NotEqual(x, y))",
     .replacement = "Equal(x, y)"},
    {.name = "not_less",
     .pattern = "LogicalNot(Less(x, y))",
     .replacement = "GreaterEqual(x, y)",
     .types = kInteger},
    {.name = "not_less_equal",
     .pattern = "LogicalNot(LessEqual(x, y))",
     .replacement = "Greater(x, y)",
     .types = kInteger},
    {.name = "not_greater",
     .pattern = "LogicalNot(Greater(x, y))",
     .replacement = "LessEqual(x, y)",
     .types = kInteger},
    {.name = "not_greater_equal",
     .pattern = "LogicalNot(GreaterEqual(x, y))",
     .replacement = "Less(x, y)",
     .types = kInteger},
    {.name = "select_same", .pattern = "SelectV2(c, x, x)", .replacement = "x"},
    {.name = "select_true", .pattern = "SelectV2(true, x, y)", .replacement = "x"},
    {.name = "select_false", .pattern = "SelectV2(false, x, y)", .replacement = "y"},
};

}  // namespace

std::span<const Rule> logic_rules() {
  return kRules;
}

}  // namespace weir::passes
