#include "dispatch/handler.h"

#include <string>

#include "tensor/tensor_impl.h"

namespace weir::dispatch {
namespace {

constinit thread_local Handler* innermost_handler = nullptr;

class Recorders : public std::vector<Recorder*> {
 public:
  Recorders() = default;
  ~Recorders() {
    for (Recorder* r : *this)
      r->orphan();
  }
  Recorders(const Recorders&) = delete;
  Recorders& operator=(const Recorders&) = delete;
};
thread_local Recorders recorders;
// The same as a plain value: reading `recorders` would ask each time whether it exists yet.
constinit thread_local std::span<Recorder* const> active = {};
constinit thread_local std::source_location caller;
thread_local std::string name_scope;

SymbolicHandler* graph_of(const Tensor& t) {
  return dynamic_cast<SymbolicHandler*>(t.impl()->source().get());
}

}  // namespace

Handler& current_handler() {
  return innermost_handler ? *innermost_handler : default_handler();
}

Handler& handler_for(std::span<const Tensor* const> operands,
                     std::source_location where,
                     const char*) {
  SymbolicHandler* graph = nullptr;
  for (const Tensor* t : operands) {
    if (!t->impl()->is_symbolic()) continue;
    if (!graph) {
      graph = dynamic_cast<SymbolicHandler*>(innermost_handler);
      if (!graph || !graph->can_use(*t)) graph = graph_of(*t);
    }
    graph->check_operand(*t, where);
  }
  return graph ? *graph : current_handler();
}

HandlerScope::HandlerScope(Handler& handler) : outer_(innermost_handler) {
  innermost_handler = &handler;
}
HandlerScope::~HandlerScope() {
  innermost_handler = outer_;
}

std::span<Recorder* const> active_recorders() {
  return active;
}
void push_recorder(Recorder& recorder) {
  recorders.push_back(&recorder);
  active = recorders;
}
void remove_recorder(Recorder& recorder) noexcept {
  std::erase(recorders, &recorder);
  active = recorders;
}
void drop_abandoned_recorders() noexcept {
  std::erase_if(recorders, [](Recorder* r) {
    if (!r->abandoned()) return false;
    delete r;
    return true;
  });
  active = recorders;
}

CalledFrom::CalledFrom(std::source_location where) : outer_(caller) {
  caller = where;
}
CalledFrom::~CalledFrom() {
  caller = outer_;
}
std::source_location called_from(std::source_location own) {
  return caller.line() == 0 ? own : caller;
}

PauseRecording::PauseRecording() {
  if (active.empty()) return;
  hidden_.swap(recorders);
  active = {};
}
PauseRecording::~PauseRecording() {
  if (hidden_.empty()) return;
  hidden_.swap(recorders);
  active = recorders;
}

namespace {
thread_local const char* forbidding_function = nullptr;
}  // namespace

ForbidVariables::ForbidVariables(const char* function) : outer_(forbidding_function) {
  forbidding_function = function;
}
ForbidVariables::~ForbidVariables() {
  forbidding_function = outer_;
}
const char* variables_forbidden_by() {
  return forbidding_function;
}

const std::string& current_name_scope() {
  return name_scope;
}

}  // namespace weir::dispatch

namespace weir::inline v0 {

NameScope::NameScope(std::string_view name) : outer_size_(dispatch::name_scope.size()) {
  if (!dispatch::name_scope.empty()) dispatch::name_scope += '/';
  dispatch::name_scope += name;
}
NameScope::~NameScope() {
  dispatch::name_scope.resize(outer_size_);
}
}  // namespace weir::inline v0
