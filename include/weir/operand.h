/// What public functions and operators take, by value: a tensor, a variable or a host scalar, and
/// the line of the caller. An Operand lives no longer than the expression that made it.
#pragma once

#include <weir/tensor.h>

#include <concepts>
#include <memory>
#include <source_location>

namespace weir::inline v0 {

class Variable;

/// A number of the host that has not adopted a dtype yet.
struct Scalar {
  enum class Kind : std::uint8_t { boolean, integer, real, complex };
  Kind kind = Kind::integer;
  std::int64_t i = 0;
  double f = 0;
  double imag = 0;
  /// 2^63 or more: `i` holds the bits of the unsigned number.
  bool beyond_int64() const { return kind == Kind::integer && i < 0 && f > 0; }
};

class Operand {
 public:
  using Where = std::source_location;
  enum class Kind : std::uint8_t { tensor, temporary, variable, scalar };

  Operand(const Tensor& t, Where where = Where::current()) : tensor_(&t), where_(where) {}
  Operand(Tensor&& t, Where where = Where::current())
      : kind_(Kind::temporary), tensor_(&t), where_(where) {}
  Operand(const Variable& v, Where where = Where::current())
      : kind_(Kind::variable), variable_(&v), where_(where) {}
  Operand(std::same_as<bool> auto v, Where where = Where::current())
      : kind_(Kind::scalar), scalar_{Scalar::Kind::boolean, v, double(v)}, where_(where) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Operand(T v, Where where = Where::current())
      : kind_(Kind::scalar),
        scalar_{Scalar::Kind::integer, std::int64_t(v), double(v)},
        where_(where) {}
  template <std::floating_point T>
  Operand(T v, Where where = Where::current())
      : kind_(Kind::scalar), scalar_{Scalar::Kind::real, 0, double(v)}, where_(where) {}
  template <ComplexNumber T>
  Operand(T v, Where where = Where::current())
      : kind_(Kind::scalar),
        scalar_{Scalar::Kind::complex, 0, double(v.real()), double(v.imag())},
        where_(where) {}

  /// Word by word: a copy of the whole would wait for the narrower stores that made it.
  Operand(const Operand& o) : kind_(o.kind_), tensor_(o.tensor_), where_(o.where_) {
    if (kind_ == Kind::scalar) std::construct_at(&scalar_, o.scalar_);
  }
  Operand& operator=(const Operand&) = default;

  Kind kind() const { return kind_; }
  bool is_scalar() const { return kind_ == Kind::scalar; }
  const Tensor& tensor() const { return *tensor_; }
  const Variable& variable() const { return *variable_; }
  const Scalar& scalar() const { return scalar_; }
  Where where() const { return where_; }
  /// The tensor, the variable's value, or the scalar as TensorFlow reads a literal: int32 (int64 if
  /// it does not fit), float32, bool, complex128.
  Tensor to_tensor() const;

 private:
  Kind kind_ = Kind::tensor;
  union {
    const Tensor* tensor_;
    const Variable* variable_;
    Scalar scalar_;
  };
  Where where_;
};

/// Any number of operands: `concat({a, b, c}, 0)`, `stack(tensors)`.
class OperandList {
 public:
  using Where = std::source_location;
  OperandList(std::initializer_list<Operand> list) : list_(std::data(list)), count_(list.size()) {}
  OperandList(const std::vector<Tensor>& list, Where where = Where::current())
      : OperandList(std::span<const Tensor>(list), where) {}
  OperandList(std::span<const Tensor> list, Where where = Where::current())
      : tensors_(list.data()), count_(list.size()), where_(where) {}
  std::size_t size() const { return count_; }
  Operand operator[](std::size_t i) const {
    return tensors_ ? Operand(tensors_[i], where_) : list_[i];
  }

 private:
  const Operand* list_ = nullptr;
  const Tensor* tensors_ = nullptr;
  std::size_t count_;
  Where where_ = Where::current();
};

/// A static operand: axes, a shape, a permutation. Host integers, or an integer tensor, which may
/// be symbolic.
class Ints {
 public:
  using Where = std::source_location;
  /// Absent: the op's default (all axes of a reduction).
  Ints() = default;
  Ints(std::integral auto v, Where where = Where::current())
      : Ints(std::initializer_list<std::int64_t>{std::int64_t(v)}, where) {}
  Ints(std::initializer_list<std::int64_t> v, Where where = Where::current())
      : Ints(std::span<const std::int64_t>(v.begin(), v.size()), where) {}
  /// Rows one after another: the paddings {{1, 1}, {0, 2}}.
  Ints(std::initializer_list<std::initializer_list<std::int64_t>> rows,
       Where where = Where::current());
  Ints(const std::vector<std::int64_t>& v, Where where = Where::current())
      : Ints(std::span<const std::int64_t>(v), where) {}
  Ints(std::span<const std::int64_t> v, Where where = Where::current());
  /// The dimensions, -1 where unknown.
  Ints(const Shape& shape, Where where = Where::current());
  /// Kept by reference, as an Operand keeps it.
  Ints(const Tensor& t, Where where = Where::current())
      : tensor_(&t), present_(true), where_(where) {}

  /// The line of the caller: that of an op without operands.
  Where where() const { return where_; }
  bool present() const { return present_; }
  const Tensor* tensor() const { return tensor_; }
  std::span<const std::int64_t> values() const {
    return {many_.empty() ? few_ : many_.data(), many_.empty() ? count_ : many_.size()};
  }

 private:
  const Tensor* tensor_ = nullptr;
  std::uint32_t count_ = 0;
  bool present_ = false;
  Where where_ = {};
  std::int64_t few_[8];
  std::vector<std::int64_t> many_;
};

}  // namespace weir::inline v0
