#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "runtime/program_format.h"

namespace weir::plan {

/// Zeroed memory at a 64-byte aligned address, as programs and their tables want it.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(std::size_t size)
      : data_(static_cast<std::byte*>(
            ::operator new(size + 1, std::align_val_t(rt::format::kAlignment)))),
        size_(size) {
    std::memset(data_, 0, size);
  }
  AlignedBytes(AlignedBytes&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  AlignedBytes& operator=(AlignedBytes&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~AlignedBytes() { ::operator delete(data_, std::align_val_t(rt::format::kAlignment)); }

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  operator std::span<std::byte>() const { return {data_, size_}; }
  operator std::span<const std::byte>() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weir::plan
