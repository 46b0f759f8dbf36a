#include "tensor/allocator.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace weir::tensor {
namespace {

// Set where AddressSanitizer looks on: a reused or rounded block would hide a wrong access.
#if defined(WEIR_CHECKED_MEMORY)
constexpr bool kCache = false;
#else
constexpr bool kCache = true;
#endif

constexpr std::size_t kHeader = 64;  // room of a Buffer before its elements
static_assert(sizeof(Buffer) <= kHeader);

/// Four size classes to each power of two: at most a quarter of a block is wasted.
std::size_t round_up(std::size_t bytes) {
  if (!kCache) return bytes;
  if (bytes <= 512) return 512;
  const std::size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

/// Of the block for so many bytes of elements.
std::size_t block_size(std::int64_t requested) {
  return round_up(std::size_t(requested) + kHeader);
}

std::size_t class_index(std::size_t rounded) {
  const std::size_t power = std::bit_floor(rounded);
  return std::size_t(std::countr_zero(power)) * 4 + (rounded - power) / (power / 4);
}

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Large blocks ask for huge pages: fewer misses of the address cache, and fewer faults at first
/// use.
void* new_block(std::size_t bytes) {
  void* block = nullptr;
  const bool huge = kCache && bytes >= 2 * kHugePage;
  if (posix_memalign(&block, huge ? kHugePage : 64, bytes) != 0) return nullptr;
#if defined(__linux__)
  if (huge) (void)madvise(block, bytes, MADV_HUGEPAGE);  // a wish: memory serves without
#endif
  return block;
}

class Pool {
 public:
  void* take(std::int64_t requested) {
    const std::size_t rounded = block_size(requested);
    std::lock_guard lock(mutex_);
    const auto size = std::int64_t(rounded);
    if (stats_.limit > 0 && stats_.in_use + size > stats_.limit) return nullptr;
    void* block = pop(rounded);
    if (!block) block = new_block(rounded);
    if (!block && stats_.cached > 0) {  // what is kept may be what the machine lacks
      trim_locked();
      block = new_block(rounded);
    }
    if (!block) return nullptr;
    stats_.in_use += size;
    stats_.peak = std::max(stats_.peak, stats_.in_use);
    stats_.requested += requested;
    stats_.requested_peak = std::max(stats_.requested_peak, stats_.requested);
    ++stats_.allocations;
    stats_.allocated += size;
    return block;
  }

  void give(void* block, std::int64_t requested) noexcept {
    const std::size_t rounded = block_size(requested);
    std::lock_guard lock(mutex_);
    stats_.in_use -= std::int64_t(rounded);
    stats_.requested -= requested;
    if (!kCache) return std::free(block);
    auto* link = static_cast<Link*>(block);
    Link*& head = free_[class_index(rounded)];
    link->next = head;
    head = link;
    stats_.cached += std::int64_t(rounded);
  }

  void trim() {
    std::lock_guard lock(mutex_);
    trim_locked();
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return stats_;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    stats_.peak = stats_.in_use;
    stats_.requested_peak = stats_.requested;
  }
  void set_limit(std::int64_t bytes) {
    std::lock_guard lock(mutex_);
    stats_.limit = bytes;
  }

 private:
  struct Link {
    Link* next;
  };

  void trim_locked() {
    for (Link*& head : free_) {
      while (Link* link = head) {
        head = link->next;
        std::free(link);
      }
    }
    stats_.cached = 0;
  }

  void* pop(std::size_t rounded) {
    Link*& head = free_[class_index(rounded)];
    if (!head) return nullptr;
    Link* link = head;
    head = link->next;
    stats_.cached -= std::int64_t(rounded);
    return link;
  }

  std::mutex mutex_;
  MemoryStats stats_;
  Link* free_[64 * 4] = {};
};

Pool& pool() {
  static auto& p = *new Pool;  // tensors in statics are freed after main
  return p;
}

[[noreturn]] void throw_exhausted(std::int64_t bytes) {
  const MemoryStats s = pool().stats();
  ErrorInfo e;
  e.code = Code::resource_exhausted;
  e.what = "out of memory";
  e.got =
      "a request for " + std::to_string(bytes) + " bytes, " + std::to_string(s.in_use) + " in use";
  if (s.limit > 0)
    e.expected = "at most " + std::to_string(s.limit) + " bytes, the limit of set_memory_limit";
  e.fix = "use a smaller batch, or release tensors that are not needed";
  throw Error(e);
}

/// Headers freed by this thread. `closed` after the thread's end: statics may still free tensors.
struct SmallList {
  void* head = nullptr;
  int count = 0;
  bool closed = false;
  ~SmallList() {
    closed = true;
    while (void* block = head) {
      head = *static_cast<void**>(block);
      std::free(block);
    }
  }
};
constexpr int kMaxSmall = 4096;
thread_local SmallList small_list;

}  // namespace

Buffer* allocate_buffer(std::int64_t bytes) {
  if (bytes < 0 || bytes > (std::int64_t{1} << 46)) throw_exhausted(bytes);
  void* block = pool().take(bytes);
  if (!block) throw_exhausted(bytes);
  auto* buffer = new (block) Buffer;
  buffer->owned = true;
  buffer->bytes = bytes;
  buffer->data = static_cast<char*>(block) + kHeader;
  return buffer;
}

Buffer* wrap_buffer(void* data, std::int64_t bytes, void (*deleter)(void*, void*), void* context) {
  auto* buffer = new Buffer;
  buffer->bytes = bytes;
  buffer->data = data;
  buffer->deleter = deleter;
  buffer->context = context;
  return buffer;
}

void Buffer::release() noexcept {
  if (!unique() && refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  forget_packed();
  if (keep_alive) {
    for (Buffer* b : *keep_alive)
      b->release();
    delete keep_alive;
  }
  if (!owned) {  // wherever the elements are: a user's memory may follow the header by chance
    if (deleter) deleter(data, context);
    delete this;
    return;
  }
  pool().give(this, bytes);
}

void Buffer::forget_packed() noexcept {
  PackedForm* form = packed.load(std::memory_order_relaxed);
  if (!form) return;
  packed.store(nullptr, std::memory_order_relaxed);
  form->memory->release();
  delete form;
}

void* allocate_small() {
  if (void* block = small_list.head) {
    small_list.head = *static_cast<void**>(block);
    --small_list.count;
    return block;
  }
  void* block = std::aligned_alloc(64, kSmallBlock);
  if (!block) throw_exhausted(kSmallBlock);
  return block;
}

void free_small(void* block) noexcept {
  if (!kCache || small_list.closed || small_list.count >= kMaxSmall) return std::free(block);
  *static_cast<void**>(block) = small_list.head;
  small_list.head = block;
  ++small_list.count;
}

}  // namespace weir::tensor

namespace weir::inline v0 {

MemoryStats memory_stats() {
  return tensor::pool().stats();
}
void reset_peak_memory() {
  tensor::pool().reset_peak();
}
void set_memory_limit(std::int64_t bytes) {
  tensor::pool().set_limit(bytes);
}
void release_cached_memory() {
  tensor::pool().trim();
}

}  // namespace weir::inline v0
