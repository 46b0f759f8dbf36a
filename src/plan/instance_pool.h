#pragma once

/// Instances of one program for the calls in flight, and the packed operands that they share.

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "plan/aligned_bytes.h"
#include "runtime/instance.h"
#include "tensor/allocator.h"

namespace weir::plan {

/// Owned memory of the tensor allocator.
class OwnedBuffer {
 public:
  OwnedBuffer() = default;
  explicit OwnedBuffer(std::int64_t bytes) : buffer_(tensor::allocate_buffer(bytes)) {}
  OwnedBuffer(OwnedBuffer&& o) noexcept : buffer_(std::exchange(o.buffer_, nullptr)) {}
  OwnedBuffer& operator=(OwnedBuffer&& o) noexcept {
    std::swap(buffer_, o.buffer_);
    return *this;
  }
  ~OwnedBuffer() {
    if (buffer_) buffer_->release();
  }
  std::byte* data() const { return buffer_ ? static_cast<std::byte*>(buffer_->data) : nullptr; }

 private:
  tensor::Buffer* buffer_ = nullptr;
};

/// One operand in packed form, of the version of its variable.
struct PackedOperand {
  std::uint64_t version = 0;
  std::shared_ptr<OwnedBuffer> memory;
};

/// The newest packed operands of a stage, by pack slot.
struct PackCache {
  std::mutex mutex;
  std::vector<PackedOperand> newest;
};

/// An instance and its memory; used by one call at a time.
class Worker {
 public:
  explicit Worker(const rt::Program& program);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  rt::Instance& instance() { return *instance_; }
  std::vector<PackedOperand> packed;  // that this instance has bound

 private:
  AlignedBytes tables_;
  OwnedBuffer arena_;
  rt::Instance* instance_ = nullptr;
};

/// Idle workers. A thread finds again the worker that it used last, unless another call has it.
class InstancePool {
 public:
  ~InstancePool();
  /// Errors: what Instance::create says; no memory.
  Worker* take(const rt::Program& program);
  void give(Worker* worker) noexcept;

 private:
  static constexpr std::size_t kPlaces = 16;
  struct alignas(64) Place {
    std::atomic<Worker*> worker{nullptr};
  };
  Place places_[kPlaces];
};

/// A worker for the time of a call.
class Lease {
 public:
  Lease(InstancePool& pool, const rt::Program& program)
      : pool_(pool), worker_(pool.take(program)) {}
  ~Lease() { pool_.give(worker_); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Worker& operator*() { return *worker_; }

 private:
  InstancePool& pool_;
  Worker* worker_;
};

}  // namespace weir::plan
