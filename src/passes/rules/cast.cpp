/// Casts.

#include "passes/rules/rule.h"

namespace weir::passes {
namespace {

/// Bits of the significand of a floating dtype, the hidden one included.
int significand(DType t) {
  switch (t) {
    case DType::float16:
      return 11;
    case DType::bfloat16:
      return 8;
    case DType::float32:
      return 24;
    default:
      return 53;
  }
}

/// Every value of `from` is a value of `to`.
bool holds_all(DType from, DType to) {
  if (from == to || from == DType::boolean) return is_integer(to) || is_floating(to) || from == to;
  if (is_integer(from)) {
    const int value_bits = bit_width(from) - (is_signed_integer(from) ? 1 : 0);
    if (is_floating(to)) return value_bits <= significand(to) && to != DType::float16;
    const bool sign_fits = is_unsigned_integer(from) || is_signed_integer(to);
    return is_integer(to) && sign_fits &&
           value_bits <= bit_width(to) - (is_signed_integer(to) ? 1 : 0);
  }
  const bool range_fits = from != DType::bfloat16 || to != DType::float16;
  return is_floating(from) && is_floating(to) && significand(from) <= significand(to) && range_fits;
}

/// The first cast loses nothing, and what the second makes of a value does not depend on the dtype
/// that holds it: conversions from floats to integers differ out of range.
bool first_cast_is_exact(const Match& m) {
  const DType from = m.spec(m.variables[0]).dtype, middle = m.below(0).outputs[0].dtype,
              to = m.root.outputs[0].dtype;
  const bool by_value =
      is_floating(to) || to == DType::boolean || (is_integer(to) && !is_floating(middle));
  return holds_all(from, middle) && by_value;
}

constexpr Rule kRules[] = {
    {.name = "cast_to_same", .pattern = "Cast(x)", .replacement = "x", .keeps_shape = true},
    {.name = "cast_of_cast",
     .pattern = "Cast(Cast(x))",
     .replacement = "Cast(x)",
     .types = kReal | DType::boolean,
     .guard = first_cast_is_exact},
};

}  // namespace

std::span<const Rule> cast_rules() {
  return kRules;
}

}  // namespace weir::passes
