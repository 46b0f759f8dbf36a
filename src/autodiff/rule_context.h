#pragma once

/// What the gradient rule of an op sees of its record.

#include "autodiff/pass.h"
#include "base/small_vector.h"

namespace weir::autodiff {

class RuleContext final : public GradientContext {
 public:
  RuleContext(Pass& pass, Record& record) : pass_(pass), record_(record) {}

  int inputs() const override { return int(record_.inputs.size()); }
  int outputs() const override { return int(record_.outputs.size()); }
  Tensor input(int i) const override;
  Tensor output(int i) const override;
  DType input_dtype(int i) const override { return in(i).dtype; }
  ShapeView input_shape(int i) const override { return in(i).shape(); }
  Ints input_dims(int i) const override;
  ShapeView output_shape(int i) const override { return out(i).shape(); }
  Tensor dy(int i) const override;
  bool has_dy(int i) const override { return pass_.at(out(i).slot).any(); }
  bool needs(int i) const override { return pass_.wanted(in(i).slot); }
  const rt::Attr& attr(int i) const override { return record_.attrs[std::size_t(i)]; }
  void set(int i, Tensor gradient) override;
  void set(int i, Slices gradient) override;

 private:
  const Value& in(int i) const { return record_.inputs[std::size_t(i)]; }
  const Value& out(int i) const { return record_.outputs[std::size_t(i)]; }
  /// Input i is not the op's own, but the value of a static operand.
  bool carries_static_operand(int i) const;
  [[noreturn]] void fail_unsaved(const char* which, int i) const;

  Pass& pass_;
  Record& record_;
  mutable base::SmallVector<Tensor, 2> shapes_;  // symbolic shapes that a rule refers to
};

}  // namespace weir::autodiff
