/// Operators on tensors, variables and numbers: `a * x + b`. Each is the op of the same meaning
/// (AddV2, Mul ...), with the line of the expression in its errors. Comparisons are element-wise;
/// `t == u` is a bool tensor.
#pragma once

#include <weir/operand.h>
#include <weir/variable.h>

namespace weir::inline v0 {

Tensor operator+(Operand a, Operand b);
Tensor operator-(Operand a, Operand b);
Tensor operator*(Operand a, Operand b);
Tensor operator/(Operand a, Operand b);
/// Remainder with the sign of the divisor, as in Python.
Tensor operator%(Operand a, Operand b);
Tensor operator-(Operand a);
Tensor operator==(Operand a, Operand b);
Tensor operator!=(Operand a, Operand b);
Tensor operator<(Operand a, Operand b);
Tensor operator<=(Operand a, Operand b);
Tensor operator>(Operand a, Operand b);
Tensor operator>=(Operand a, Operand b);
/// Logical on bool tensors, bitwise on integers.
Tensor operator&(Operand a, Operand b);
Tensor operator|(Operand a, Operand b);
Tensor operator^(Operand a, Operand b);
Tensor operator~(Operand a);
Tensor operator!(Operand a);
Tensor operator!(const Tensor& a);  // closer than `!bool(a)`

}  // namespace weir::inline v0
