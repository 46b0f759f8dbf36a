#pragma once

/// The two seams of dispatch: a Handler decides what a call means (run now, append a node);
/// Recorders watch calls (tapes). Both stacks belong to a thread.

#include <weir/name_scope.h>
#include <weir/op_def.h>
#include <weir/variable.h>

#include <memory>
#include <source_location>
#include <span>
#include <vector>

namespace weir::dispatch {

/// A checked call: operands resolved, dtypes bound, shapes inferred.
struct Invocation {
  const OpDef& op;
  /// Operands; the values of static operands that are not known yet follow the op's own inputs.
  std::span<const Tensor* const> inputs;
  std::span<const rt::Attr> attrs;  // one for each AttrDef
  std::span<const Spec> outputs;
  std::source_location where;
  /// Bit i: nobody but this call can see input i, whose memory may be overwritten.
  std::uint32_t stealable = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  virtual void run(const Invocation& call, std::span<Tensor> results) = 0;
  virtual Tensor read(const std::shared_ptr<VariableState>& variable,
                      std::source_location where) = 0;
  /// Returns the value as a read after the write sees it.
  virtual Tensor write(const std::shared_ptr<VariableState>& variable,
                       const Tensor& value,
                       std::source_location where) = 0;
  /// True while a graph is built: the calls of this thread become nodes.
  virtual bool is_tracing() const { return false; }
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void record(const Invocation& call, std::span<const Tensor> results) = 0;
  virtual void record_read(const std::shared_ptr<VariableState>& variable, const Tensor& value) = 0;
  /// True once its owner has given it up on another thread: the thread that it records then
  /// destroys it.
  virtual bool abandoned() const noexcept { return false; }
  /// The thread that it records ends. Destroys it if its owner has given it up, else leaves that to
  /// the owner.
  virtual void orphan() noexcept {}
};

/// The eager handler, defined by src/eager.
Handler& default_handler();

/// The handler of the innermost scope of this thread, else the default one.
Handler& current_handler();
/// The handler that must see these operands: that of the graph of a symbolic one, or of the scope
/// inside that graph; without a symbolic operand the current one. Error: a tensor of a closed
/// graph, or tensors of two graphs.
Handler& handler_for(std::span<const Tensor* const> operands,
                     std::source_location where,
                     const char* op);

/// Makes `handler` the current one for the life of the scope.
class HandlerScope {
 public:
  explicit HandlerScope(Handler& handler);
  ~HandlerScope();
  HandlerScope(const HandlerScope&) = delete;
  HandlerScope& operator=(const HandlerScope&) = delete;

 private:
  Handler* outer_;
};

/// The recorders of this thread, outermost first: every one sees every call.
std::span<Recorder* const> active_recorders();
void push_recorder(Recorder& recorder);
/// Removes it from wherever it stands: tapes need not nest.
void remove_recorder(Recorder& recorder) noexcept;
/// Destroys the recorders of this thread that were abandoned. Not while they are gone through.
void drop_abandoned_recorders() noexcept;

/// Hides all recorders for the life of the scope (stop_recording, replay).
class PauseRecording {
 public:
  PauseRecording();
  ~PauseRecording();
  PauseRecording(const PauseRecording&) = delete;
  PauseRecording& operator=(const PauseRecording&) = delete;

 private:
  std::vector<Recorder*> hidden_;
};

/// While it lives, calls of this thread count as made at `where`: a gradient rule runs for a line
/// of the user.
class CalledFrom {
 public:
  explicit CalledFrom(std::source_location where);
  ~CalledFrom();
  CalledFrom(const CalledFrom&) = delete;
  CalledFrom& operator=(const CalledFrom&) = delete;

 private:
  std::source_location outer_;
};
/// The line of the innermost CalledFrom, else `own`.
std::source_location called_from(std::source_location own);

/// A graph under construction: what dispatch needs to send a call to it.
class SymbolicHandler : public Handler {
 public:
  /// True if a call with this operand may become a node here.
  virtual bool can_use(const Tensor& symbolic) = 0;
  /// Throws the "leaked tensor" error if it may not.
  virtual void check_operand(const Tensor& symbolic, std::source_location where) = 0;
  bool is_tracing() const override { return true; }
};

/// While it lives, this thread must not create variables: a function is traced again, and variables
/// belong to its first trace.
class ForbidVariables {
 public:
  explicit ForbidVariables(const char* function);
  ~ForbidVariables();
  ForbidVariables(const ForbidVariables&) = delete;
  ForbidVariables& operator=(const ForbidVariables&) = delete;

 private:
  const char* outer_;
};
/// Name of the function whose trace forbids variables; null if they are allowed.
const char* variables_forbidden_by();

using weir::NameScope;
/// "encoder/block_3": the name scopes of this thread.
const std::string& current_name_scope();

}  // namespace weir::dispatch
