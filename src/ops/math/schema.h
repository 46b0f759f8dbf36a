#pragma once

/// Beginnings of definitions that many element-wise ops share; each op adds its examples.

#include "ops/define.h"

namespace weir::ops::schema {

inline OpDef unary(const char* name, const char* function, DTypeSet types, const char* doc) {
  OpDef op(name);
  op.api(function, "math")
      .doc(doc)
      .type("T", types)
      .input("x", "T")
      .output("y", "T")
      .traits(Trait::elementwise);
  return op;
}

inline OpDef binary(const char* name, const char* function, DTypeSet types, const char* doc) {
  OpDef op(name);
  op.api(function, "math")
      .doc(doc)
      .type("T", types)
      .input("a", "T")
      .input("b", "T")
      .output("z", "T");
  op.stored_as("a", "x").stored_as("b", "y").traits(Trait::elementwise);
  return op;
}

/// A gradient in one pass, as TensorFlow registers it: from the result y of the forward op.
inline OpDef grad_of_result(const char* name, const char* function, const char* doc) {
  OpDef op(name);
  op.api(function, "math")
      .doc(doc)
      .type("T", kFloating)
      .input("y", "T")
      .input("dy", "T")
      .output("dx", "T");
  op.stored_as("dx", "z").traits(Trait::elementwise);
  return op;
}

/// A question about each element: a bool result, no gradient.
inline OpDef predicate(const char* name, const char* function, DTypeSet types, const char* doc) {
  OpDef op(name);
  op.api(function, "math").doc(doc).type("T", types).input("x", "T").output("y", DType::boolean);
  op.traits(Trait::elementwise | Trait::no_gradient);
  return op;
}

inline OpDef comparison(const char* name, const char* function, DTypeSet types, const char* doc) {
  OpDef op(name);
  op.api(function, "math")
      .doc(doc)
      .type("T", types)
      .input("a", "T")
      .input("b", "T")
      .output("z", DType::boolean);
  op.stored_as("a", "x")
      .stored_as("b", "y")
      .traits(Trait::elementwise | Trait::no_gradient)
      .example("[2,3]:-2..2 [2,3]:-2..2")
      .example("[4,1] [3]");
  return op;
}

}  // namespace weir::ops::schema
