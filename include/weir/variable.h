/// Variable: state that outlives a call. A handle: copies share the state.
///
///   Variable w(Tensor::zeros({784, 10}), "w");
///   w.assign_sub(0.1f * dw);
///   Tensor snapshot = w;   // later assigns do not change it
#pragma once

#include <weir/operand.h>

#include <memory>
#include <string>

namespace weir::inline v0 {

class VariableState;

struct VariableOptions {
  std::string name = "Variable";
  bool trainable = true;
};

class Variable {
 public:
  using Where = std::source_location;
  /// No variable.
  Variable() = default;
  /// In the first trace of a function the initial value is computed at once. Errors: an undefined
  /// initial value, or one that depends on an argument of the function; a later trace of it.
  explicit Variable(Tensor initial_value, VariableOptions options, Where where = Where::current());
  explicit Variable(Tensor initial_value,
                    std::string name = "Variable",
                    bool trainable = true,
                    Where where = Where::current())
      : Variable(std::move(initial_value), VariableOptions{std::move(name), trainable}, where) {}

  bool defined() const { return state_ != nullptr; }
  DType dtype() const;
  Shape shape() const;
  const std::string& name() const;
  bool trainable() const;
  void set_trainable(bool trainable);
  /// Counts the writes; equal versions mean equal values.
  std::uint64_t version() const;

  /// The value now. Inside a trace: a symbolic read, in program order with the writes.
  Tensor value(Where where = Where::current()) const;
  operator Tensor() const { return value(); }

  /// Each returns the updated value. Errors: another dtype or shape; the variable keeps its value
  /// then.
  Tensor assign(Operand value) const;
  Tensor assign_add(Operand delta) const;
  Tensor assign_sub(Operand delta) const;

  friend bool operator==(const Variable& a, const Variable& b) = delete;
  bool same_as(const Variable& o) const { return state_ == o.state_; }

  /// For implementers.
  const std::shared_ptr<VariableState>& state() const { return state_; }
  explicit Variable(std::shared_ptr<VariableState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<VariableState> state_;
};

}  // namespace weir::inline v0
