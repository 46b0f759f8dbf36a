#pragma once

#include <memory>
#include <new>
#include <span>

#include "tensor/tensor_impl.h"

namespace weir::tracing {

/// Handles of a caller's tensors that do not count: they must not outlive the caller's own. A copy
/// counts as any handle does.
class BorrowedTensors {
 public:
  explicit BorrowedTensors(std::span<const Tensor* const> tensors) : count_(tensors.size()) {
    if (count_ > kFew) many_ = std::make_unique<Place[]>(count_);
    for (std::size_t i = 0; i < count_; ++i)
      new (places() + i) Tensor(Tensor::adopt(tensors[i]->impl()));  // never destroyed
  }
  BorrowedTensors(const BorrowedTensors&) = delete;
  BorrowedTensors& operator=(const BorrowedTensors&) = delete;

  std::span<const Tensor> all() {
    return {std::launder(reinterpret_cast<Tensor*>(places())), count_};
  }

 private:
  static constexpr std::size_t kFew = 6;
  struct alignas(Tensor) Place {
    std::byte bytes[sizeof(Tensor)];
  };
  Place* places() { return many_ ? many_.get() : few_; }

  std::size_t count_;
  std::unique_ptr<Place[]> many_;
  Place few_[kFew];
};

}  // namespace weir::tracing
