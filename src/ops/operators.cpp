#include <weir/operators.h>
#include <weir/ops/math.h>

namespace weir::inline v0 {
namespace {

DType dtype_of_operand(const Operand& o) {
  switch (o.kind()) {
    case Operand::Kind::tensor:
    case Operand::Kind::temporary:
      return o.tensor().defined() ? o.tensor().dtype() : DType::invalid;
    case Operand::Kind::variable:
      return o.variable().dtype();
    case Operand::Kind::scalar:
      break;
  }
  return o.scalar().kind == Scalar::Kind::boolean ? DType::boolean : DType::invalid;
}

/// `&`, `|`, `^` are logical if an operand is bool.
bool is_logical(const Operand& a, const Operand& b) {
  return dtype_of_operand(a) == DType::boolean || dtype_of_operand(b) == DType::boolean;
}

}  // namespace

Tensor operator+(Operand a, Operand b) {
  return add(a, b);
}
Tensor operator-(Operand a, Operand b) {
  return subtract(a, b);
}
Tensor operator*(Operand a, Operand b) {
  return multiply(a, b);
}
Tensor operator/(Operand a, Operand b) {
  return divide(a, b);
}
Tensor operator%(Operand a, Operand b) {
  return floormod(a, b);
}
Tensor operator-(Operand a) {
  return negative(a);
}
Tensor operator==(Operand a, Operand b) {
  return equal(a, b);
}
Tensor operator!=(Operand a, Operand b) {
  return not_equal(a, b);
}
Tensor operator<(Operand a, Operand b) {
  return less(a, b);
}
Tensor operator<=(Operand a, Operand b) {
  return less_equal(a, b);
}
Tensor operator>(Operand a, Operand b) {
  return greater(a, b);
}
Tensor operator>=(Operand a, Operand b) {
  return greater_equal(a, b);
}
Tensor operator&(Operand a, Operand b) {
  return is_logical(a, b) ? logical_and(a, b) : bitwise_and(a, b);
}
Tensor operator|(Operand a, Operand b) {
  return is_logical(a, b) ? logical_or(a, b) : bitwise_or(a, b);
}
Tensor operator^(Operand a, Operand b) {
  return is_logical(a, b) ? logical_xor(a, b) : bitwise_xor(a, b);
}
Tensor operator~(Operand a) {
  return dtype_of_operand(a) == DType::boolean ? logical_not(a) : invert(a);
}
Tensor operator!(Operand a) {
  return logical_not(a);
}
Tensor operator!(const Tensor& a) {
  return logical_not(a);
}

}  // namespace weir::inline v0
