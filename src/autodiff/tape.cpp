#include "autodiff/tape.h"

#include <algorithm>

#include "base/small_vector.h"
#include "tensor/variable_state.h"

namespace weir::autodiff {
namespace {

[[noreturn]] void fail(Code code, std::string what, std::string got, std::string fix) {
  ErrorInfo e;
  e.code = code;
  e.what = "GradientTape: " + std::move(what);
  e.got = std::move(got);
  e.fix = std::move(fix);
  throw Error(e);
}

/// Spare tapes of a thread, so that a tape costs no allocation.
struct Spare {
  static constexpr std::size_t kMost = 8;
  std::vector<std::unique_ptr<Tape>> tapes;
};
thread_local Spare spare;

std::uint64_t key(const VariableState* v) {
  return std::uint64_t(reinterpret_cast<std::uintptr_t>(v));
}

}  // namespace

Tape* Tape::start(TapeOptions options) {
  std::unique_ptr<Tape> tape;
  if (spare.tapes.empty()) {
    tape = std::make_unique<Tape>();
  } else {
    tape = std::move(spare.tapes.back());
    spare.tapes.pop_back();
  }
  tape->options_ = options;
  tape->thread_ = std::this_thread::get_id();
  tape->used_ = tape->paused_once_ = false;
  tape->left_ = false;
  tape->pauses_ = 0;
  dispatch::push_recorder(*tape);
  tape->recording_ = true;
  return tape.release();
}

void Tape::finish(Tape* tape) noexcept {
  if (tape->thread_ != std::this_thread::get_id() && tape->recording_) {
    // The list that it stands in belongs to another thread, which drops it.
    if (tape->left_.exchange(true, std::memory_order_acq_rel)) delete tape;
    return;
  }
  tape->stop();
  tape->clear();
  if (spare.tapes.size() == Spare::kMost) {
    delete tape;
    return;
  }
  spare.tapes.reserve(Spare::kMost);
  spare.tapes.emplace_back(tape);
}

void Tape::orphan() noexcept {
  if (left_.exchange(true, std::memory_order_acq_rel)) delete this;
}

void Tape::stop() noexcept {
  if (recording_) dispatch::remove_recorder(*this);
  recording_ = false;
}

void Tape::clear() {
  log_.clear();
  variables_.clear();
  variable_index_.clear();
}

void Tape::check_thread(const char* action) const {
  if (thread_ == std::this_thread::get_id()) return;
  fail(Code::failed_precondition,
       std::string(action) + " on another thread than the tape's",
       "another thread",
       "use a tape on the thread that made it");
}

void Tape::record(const dispatch::Invocation& call, std::span<const Tensor> results) {
  if (abandoned()) return;
  base::SmallVector<std::int32_t, 6> slots;
  bool any = false, live = false;
  for (const Tensor* t : call.inputs) {
    const std::int32_t slot = log_.find(*t);
    slots.push_back(slot);
    any = any || slot >= 0;
    live = live || (slot >= 0 && log_.slots()[std::size_t(slot)].live);
  }
  if (any) log_.add(call, results, slots, live);
}

bool Tape::reads_count(const VariableState& v) const {
  if (!is_differentiable(v.dtype())) return false;
  if (options_.watch_accessed_variables && v.trainable.load(std::memory_order_relaxed)) return true;
  const std::int32_t i = variable_index_.find(key(&v));
  return i >= 0 && variables_[std::size_t(i)].explicitly;
}

Tape::Watched& Tape::watched(const std::shared_ptr<VariableState>& v) {
  const std::int32_t known = variable_index_.find(key(v.get()));
  if (known >= 0) return variables_[std::size_t(known)];
  variable_index_.set(key(v.get()), std::int32_t(variables_.size()));
  return variables_.emplace_back(Watched{v});
}

const Tape::Watched* Tape::find_watched(const Variable& v) const {
  const std::int32_t i = variable_index_.find(key(v.state().get()));
  return i < 0 ? nullptr : &variables_[std::size_t(i)];
}

void Tape::record_read(const std::shared_ptr<VariableState>& variable, const Tensor& value) {
  if (abandoned() || !reads_count(*variable)) return;
  Watched& w = watched(variable);
  w.last_read = log_.follow(value, {-1, w.last_read, value.impl()->dtype(), true});
}

bool Tape::follows(std::span<const Tensor> inputs, std::span<const Variable> variables) const {
  for (const Tensor& t : inputs) {
    if (log_.find(t) >= 0) return true;
  }
  for (const Variable& v : variables) {
    if (reads_count(*v.state())) return true;
  }
  return false;
}

void Tape::record_structural(std::span<const Tensor> inputs,
                             std::span<const Variable> variables,
                             std::span<const Tensor> results,
                             const std::shared_ptr<Backward>& backward,
                             std::source_location where) {
  if (abandoned() || !follows(inputs, variables)) return;
  base::SmallVector<std::int32_t, 6> slots;
  for (const Tensor& t : inputs)
    slots.push_back(log_.find(t));
  for (const Variable& v : variables) {
    if (reads_count(*v.state())) {
      Watched& w = watched(v.state());
      w.last_read = log_.add_slot({-1, w.last_read, v.dtype(), true});
      slots.push_back(w.last_read);
    } else {
      slots.push_back(-1);
    }
  }
  log_.add(inputs, slots, results, backward, where);
}

void Tape::watch(const Tensor& t) {
  check_thread("watch");
  if (!t.defined())
    fail(Code::invalid_argument, "watch of an undefined tensor", "", "watch a tensor with a value");
  if (!is_differentiable(t.dtype()) || log_.find(t) >= 0) return;
  log_.follow(t, {-1, -1, t.dtype(), true});
}

void Tape::watch(const Variable& v) {
  check_thread("watch");
  if (!v.defined())
    fail(Code::invalid_argument,
         "watch of an undefined variable",
         "",
         "watch a variable with a value");
  watched(v.state()).explicitly = true;
}

void Tape::pause() {
  check_thread("pause");
  if (pauses_++ > 0) return;
  paused_once_ = true;
  stop();
}

void Tape::resume() {
  check_thread("resume");
  if (pauses_ == 0)
    fail(Code::failed_precondition,
         "resume of a tape that is not paused",
         "",
         "call pause first, or use stop_recording");
  if (--pauses_ > 0 || (used_ && !options_.persistent)) return;
  dispatch::push_recorder(*this);
  recording_ = true;
}

void Tape::reset() {
  check_thread("reset");
  clear();
  used_ = paused_once_ = false;
  if (recording_ || pauses_ > 0) return;
  dispatch::push_recorder(*this);
  recording_ = true;
}

std::vector<Variable> Tape::watched_variables() const {
  std::vector<Variable> list;
  for (const Watched& w : variables_)
    list.emplace_back(w.variable);
  return list;
}

bool follows(std::span<const Tensor> inputs, std::span<const Variable> variables) {
  for (dispatch::Recorder* r : dispatch::active_recorders()) {
    const auto* tape = dynamic_cast<const Tape*>(r);
    if (tape && tape->follows(inputs, variables)) return true;
  }
  return false;
}

bool only_tapes() {
  const auto recorders = dispatch::active_recorders();
  return std::all_of(recorders.begin(), recorders.end(), [](const dispatch::Recorder* r) {
    return dynamic_cast<const Tape*>(r) != nullptr;
  });
}

void record(std::span<const Tensor> inputs,
            std::span<const Variable> variables,
            std::span<const Tensor> results,
            std::shared_ptr<Backward> backward,
            std::source_location where) {
  for (dispatch::Recorder* r : dispatch::active_recorders()) {
    if (auto* tape = dynamic_cast<Tape*>(r))
      tape->record_structural(inputs, variables, results, backward, where);
  }
}

Tensor fresh_identity(const Tensor& t) {
  return TensorImpl::again(t);
}

}  // namespace weir::autodiff
