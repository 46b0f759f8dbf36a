#pragma once

#include <weir/variable.h>

#include <memory>
#include <string>
#include <vector>

namespace weir::io {

/// A variable or a lookup table as a file names it. It has a value once the file's restore or
/// initial function has given it one.
struct Handle {
  std::string name;
  DType dtype = DType::invalid;  ///< of the variable, or of the table's keys
  Variable variable = {};
  std::string key = {};  ///< under which a checkpoint has it; empty: it was not read from one
  bool is_table = false;
  DType value_dtype = DType::invalid;
  Tensor keys = {}, values = {};

  /// The variable's value now, or a read in the graph that is being built. Throws weir::Error if it
  /// has none yet.
  Tensor value() const { return initialised().value(); }
  const Variable& initialised() const;
};

/// A TensorList or TensorArray: its elements as one tensor, along axis 0. Until one is set, `items`
/// is undefined and `size` says how many there will be.
struct List {
  Tensor items;
  Tensor size;
  DType dtype = DType::invalid;
  Shape element = Shape::unknown_rank();
};

/// What an output of a node is while a file is read: a tensor, or what stands behind TensorFlow's
/// dtypes `resource` and `variant`. With all members empty it is a token that says nothing, such as
/// the handle of a TensorArray.
struct Value {
  Value() = default;
  Value(Tensor t) : tensor(std::move(t)) {}  // NOLINT: a tensor is a value
  Value(std::shared_ptr<Handle> h) : handle(std::move(h)) {}
  Value(List l) : list(std::make_shared<const List>(std::move(l))) {}

  bool is_tensor() const { return tensor.defined(); }

  Tensor tensor;
  std::shared_ptr<Handle> handle;
  std::shared_ptr<const List> list;
};

using Values = std::vector<Value>;

}  // namespace weir::io
