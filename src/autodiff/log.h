#pragma once

/// What a tape knows: the values that it follows (slots) and the calls that made them (records), in
/// program order.

#include "autodiff/arena.h"
#include "autodiff/id_map.h"
#include "autodiff/structural.h"
#include "dispatch/handler.h"
#include "tensor/tensor_impl.h"

namespace weir::autodiff {

/// A value that the tape follows: watched, or computed from such a one.
struct Slot {
  std::int32_t record = -1;         // the call that made it; -1: watched
  std::int32_t previous_read = -1;  // of a variable's read: the read before
  DType dtype = DType::invalid;
  bool live = true;  // false: no gradient passes; kept so that explain() can name the place
};

/// An input or output of a record.
struct Value {
  Tensor tensor;  // only if the gradient reads it, or if it is symbolic
  const Dim* dims = nullptr;
  std::int32_t slot = -1;  // -1: not followed
  DType dtype = DType::invalid;
  std::uint8_t rank = 0;
  bool known_rank = true;
  bool gave_none = false;  // of an input: the gradient rule ran and gave nothing

  ShapeView shape() const { return {dims, rank, known_rank}; }
};

struct Record {
  const OpDef* op = nullptr;  // null: `backward` knows the way
  std::shared_ptr<Backward> backward;
  std::source_location where;
  std::span<Value> inputs, outputs;
  std::span<rt::Attr> attrs;
  bool live = true;
  std::unique_ptr<std::string> released;  // name of a `backward` that is gone

  const char* name() const {
    return op ? op->name().c_str() : backward ? backward->name() : released->c_str();
  }
  /// Drops the values that the backward pass needed.
  void release_values();
};

/// Slots and records. Structure is kept until clear(); values can be released earlier.
class Log {
 public:
  Log() = default;
  ~Log() { clear(); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  std::int32_t find(const Tensor& t) const {
    const std::uint64_t id = t.impl() ? t.impl()->id_if_any() : 0;
    return id == 0 ? -1 : by_id_.find(id);
  }
  std::int32_t add_slot(const Slot& slot);
  std::int32_t follow(const Tensor& t, const Slot& slot);

  void add(const dispatch::Invocation& call,
           std::span<const Tensor> results,
           std::span<const std::int32_t> slots,
           bool any_live);
  /// `slots`: of the inputs, then of the variables that the call read.
  void add(std::span<const Tensor> inputs,
           std::span<const std::int32_t> slots,
           std::span<const Tensor> results,
           std::shared_ptr<Backward> backward,
           std::source_location where);
  void clear();

  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<Record*>& records() const { return records_; }

 private:
  Record& new_record(std::size_t inputs, std::size_t outputs, std::source_location where);
  void describe(Value& v, const Tensor& t);
  void set_outputs(Record& r, std::span<const Tensor> results);
  rt::Attr own(const rt::Attr& a);

  Arena arena_;
  IdMap by_id_;
  std::vector<Slot> slots_;
  std::vector<Record*> records_;
};

}  // namespace weir::autodiff
