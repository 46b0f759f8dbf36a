#pragma once

/// Memory of tensors: 64-byte aligned blocks that are kept for reuse, counted, and limited on
/// request. The first touch of fresh pages costs more than most ops, so a block returns to the
/// system only when asked.

#include <weir/tensor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::tensor {

struct Buffer;

/// What a kernel made of the elements of a buffer (its packed layout), valid while they stay.
struct PackedForm {
  std::uint64_t key;  // of the kernel, shapes and attributes that it was made for; not 0
  Buffer* memory;
};

/// Counted memory, header and elements in one block unless the elements are a user's.
struct Buffer {
  std::atomic<std::uint32_t> refs{1};
  bool owned = false;  // the elements follow in the same block; else they are a user's
  std::int64_t bytes = 0;
  void* data = nullptr;
  void (*deleter)(void* data, void* context) = nullptr;  // of a user's memory
  void* context = nullptr;
  /// Buffers that own the bytes of this buffer's string elements.
  std::vector<Buffer*>* keep_alive = nullptr;
  std::atomic<PackedForm*> packed{nullptr};  // set once
  std::atomic<std::uint64_t> packed_key{0};  // of the last use that a packed form would have served

  void retain() { refs.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept;
  /// The elements are about to change, and nobody else sees them.
  void forget_packed() noexcept;
  bool unique() const { return refs.load(std::memory_order_acquire) == 1; }
};

/// Throws weir::Error (resource_exhausted) when the limit or the machine refuses; nothing has
/// changed then.
Buffer* allocate_buffer(std::int64_t bytes);
Buffer* wrap_buffer(void* data, std::int64_t bytes, void (*deleter)(void*, void*), void* context);

/// A block of kSmallBlock bytes from a list of this thread, for tensor headers with their small
/// data.
inline constexpr std::size_t kSmallBlock = 256;
void* allocate_small();
void free_small(void* block) noexcept;

}  // namespace weir::tensor
