#pragma once

/// Memory that is handed out piece by piece and returned all at once.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace weir::autodiff {

class Arena {
 public:
  /// `count` uninitialised objects. Their destructors, if they matter, are the caller's.
  template <class T>
  T* allocate(std::size_t count) {
    static_assert(alignof(T) <= kAlignment);
    return static_cast<T*>(bytes(count * sizeof(T)));
  }

  /// Takes everything back; one chunk is kept for the next use.
  void reset() {
    if (chunks_.size() > 1) chunks_.resize(1);
    used_ = 0;
    capacity_ = chunks_.empty() ? 0 : kChunk;
  }

 private:
  static constexpr std::size_t kAlignment = 16;
  static constexpr std::size_t kChunk = 16 << 10;

  void* bytes(std::size_t n) {
    n = (n + kAlignment - 1) / kAlignment * kAlignment;
    if (capacity_ - used_ < n) grow(n);
    void* p = chunks_.back().get() + used_;
    used_ += n;
    return p;
  }

  void grow(std::size_t n) {
    // The first chunk always has the standard size, so that reset() knows it.
    if (chunks_.empty()) chunks_.emplace_back(new std::byte[kChunk]);
    const std::size_t next = std::max(n, kChunk << std::min<std::size_t>(chunks_.size() - 1, 6));
    const bool first_fits = chunks_.size() == 1 && capacity_ == 0 && n <= kChunk;
    if (!first_fits) chunks_.emplace_back(new std::byte[next]);
    capacity_ = first_fits ? kChunk : next;
    used_ = 0;
  }

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace weir::autodiff
