#pragma once

/// The dimensions of a tensor, or a run of them, as the operand of an op that takes a shape.

#include <weir/operand.h>

namespace weir::ops {

/// Dimensions [begin, end) of `t`, at first use: integers where they are known, else a tensor that
/// holds them. Lives longer than the Ints that it gives.
class DimsOf {
 public:
  explicit DimsOf(Tensor t, int begin = 0, int end = INT32_MAX)
      : t_(std::move(t)), begin_(begin), end_(end) {}
  /// For ops that need every dimension: zeros, random numbers.
  Ints exact() { return get(false); }
  /// For reshape, which finds out one unknown dimension.
  Ints for_reshape() { return get(true); }

 private:
  Ints get(bool one_unknown);

  Tensor t_, symbolic_;
  int begin_, end_;
};

/// A shape for reshape, put together from axes of tensors. Lives longer than the Ints that it
/// gives.
class DimList {
 public:
  void add(std::int64_t known) { parts_.push_back({known, {}, 0, 0}); }
  void add(const Tensor& t, int axis) { add_product(t, axis, axis + 1); }
  /// The product of dimensions [begin, end); 1 if there are none.
  void add_product(const Tensor& t, int begin, int end);
  Ints for_reshape();

 private:
  struct Part {
    std::int64_t known;  // -1: the product of dimensions of `of`
    Tensor of;
    int begin, end;
  };
  std::vector<Part> parts_;
  Tensor symbolic_;
};

}  // namespace weir::ops
